"""Packets of the data channel, and the connections under it."""

from exporter.management.log_events.event import LogEvent
from exporter.management.state import SERVER

PACKET_EVENTS = (
    LogEvent(
        "keys_out_of_sync",
        r"TLS Error: local/remote TLS keys are out of sync: .*",
        1,
        "2.1-2.7",
        "TLS Error: local/remote TLS keys are out of sync: [AF_INET]192.0.2.1:40000 [0]",
        "A packet used a key that is not active.",
    ),
    LogEvent(
        "replay",
        r"(?:Authenticate/Decrypt packet error|AEAD Decrypt error|tls-crypt unwrap error): "
        r"bad packet ID \(may be a replay\): .*",
        1,
        "2.1-2.7",
        "Authenticate/Decrypt packet error: bad packet ID (may be a replay): [ #1 ] -- "
        "see the man page entry for --replay-window",
        "A packet arrived twice or far too late.",
    ),
    LogEvent(
        "decrypt_error",
        r"(?:Authenticate/Decrypt packet error|AEAD Decrypt error): (?!bad packet ID).*",
        1,
        "2.1-2.7 (verb 4 in 2.7)",
        "Authenticate/Decrypt packet error: packet HMAC authentication failed",
        "A data packet could not be decrypted or authenticated.",
    ),
    LogEvent(
        "decompress_error",
        r"Bad (?:LZO|LZ4|LZ4v2|compression stub(?:v2| \(swap\))?) decompression header byte: -?\d+"
        r"|(?:LZO|LZ4) decompression error: -?\d+",
        1,
        "2.1-2.7",
        "Bad LZO decompression header byte: 251",
        "A data packet could not be decompressed: client and server differ in their compression.",
    ),
    LogEvent(
        "bad_packet_length",
        r"WARNING: Bad encapsulated packet length from peer \(\d+\), .*",
        0,
        "2.1-2.7",
        "WARNING: Bad encapsulated packet length from peer (18245), "
        "which must be > 0 and <= 1627 -- please ensure that --tun-mtu is equal on both peers",
        "A TCP port received data that is not OpenVPN's.",
    ),
    LogEvent(
        "bad_source_address",
        r"MULTI: bad source address from client \[.*\], packet dropped",
        4,
        "2.1-2.7",
        "MULTI: bad source address from client [192.168.1.7], packet dropped",
        "A client sent a packet from an address that is not its own.",
        SERVER,
    ),
    LogEvent(
        "unexpected_peer",
        r"(?:TCP/UDP: )?Incoming packet rejected from .*"
        r"|TLS Error: (?:Received control packet from unexpected IP addr"
        r"|Existing session control channel packet from unknown IP address): .*",
        1,
        "2.1-2.7",
        "TCP/UDP: Incoming packet rejected from [AF_INET]198.51.100.9:1194[2], expected peer "
        "address: [AF_INET]192.0.2.9:1194 (allow this incoming source address/port by "
        "removing --remote or adding --float)",
        "A packet came from another address than the peer's.",
    ),
    LogEvent(
        "output_saturation",
        r"MULTI: packet dropped due to output saturation.*",
        4,
        "2.1-2.7",
        "MULTI: packet dropped due to output saturation (multi_add_mbuf)",
        "A packet was dropped because a queue to the clients was full.",
        SERVER,
    ),
    LogEvent(
        "ping_timeout",
        r"(?:\[.*\] )?Inactivity timeout \(--ping-(?:restart|exit)\), (?:restarting|exiting)",
        1,
        "2.1-2.7",
        "[alice] Inactivity timeout (--ping-restart), restarting",
        "No packet arrived from a peer within the ping timeout.",
    ),
    LogEvent(
        "connection_reset",
        r"Connection reset, (?:restarting|inetd/xinetd exit) \[-?\d+\]",
        1,
        "2.1-2.7",
        "Connection reset, restarting [0]",
        "A TCP connection was reset; port scans cause this, too.",
    ),
    LogEvent(
        "client_floated",
        r"peer (?:ID |\d+ )?\((?>.*?\) floated from )(?>.*? to ).*",
        4,
        "2.4-2.7",
        "peer 0 (alice) floated from 192.0.2.1:40000 to [AF_INET]192.0.2.2:40001",
        "A client's address changed.",
        SERVER,
    ),
)
