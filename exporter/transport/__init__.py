"""Connections to the management interfaces of daemons, over asyncio.

connector    an endpoint -> a connected stream, or the reason why not
stream       the two directions of one connection
handshake    the login of a session, and the meaning of its early end
connection   one management session over a stream, with timeouts
history      the last commands and replies of a session, for the debug page
"""
