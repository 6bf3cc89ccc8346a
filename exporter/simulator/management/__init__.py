"""The management interface of a simulated daemon.

commands      the commands and their replies
session       a session, without the socket
connection    a session over asyncio
listener      the listening socket, for one client at a time
dialer        the connection of a daemon with `--management-client`
"""
