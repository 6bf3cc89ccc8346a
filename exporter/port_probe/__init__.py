"""The first packet of OpenVPN's handshake, and the server's answer to it, sans I/O.

A server answers the first packet of a client, wrapped as its configuration says, before it knows
who the client is. The answer shows that the port is reachable and that the key is right.

    target      the address of a port, as text and as a type
    keys        OpenVPN's key files: tls-auth, tls-crypt, tls-crypt-v2
    wrapping    packets with the HMAC or the encryption of these keys
    aes         the encryption itself, from an optional library
    packets     the client's first packet, and the server's reply
    outcome     the results of a probe

There is no socket, no event loop and no clock here. Layouts: OpenVPN's `ssl_pkt.h`, `tls_crypt.h`
and `doc/tls-crypt-v2.txt`.
"""
