"""The sockets: the one place where bytes of the management interface enter and leave.

opening     an endpoint -> a connected stream, or why not
login       the beginning of a session, and what an early end means
connection  a stream -> one management session with deadlines
"""
