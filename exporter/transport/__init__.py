"""Connections to the management interfaces of daemons, over asyncio.

connector      an endpoint -> a connected stream, or the reason why not
reverse        the same where the daemon connects to us
listening      the socket for that, and who may connect to it
system_errors  errors of the system in connecting
stream         the two directions of one connection
handshake      the login of a session, and the meaning of its early end
connection     one management session over a stream, with timeouts
port_probe     the first packet of a VPN client to a port, and the reply
slot_holder    the process of this host that holds the slot of a daemon
history        the last commands and replies of a session, for the debug page
"""
