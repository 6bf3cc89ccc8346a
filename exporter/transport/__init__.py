"""The sockets: the one place where bytes of the management interface enter and leave.

opening     an endpoint -> a connected stream, or why not
connection  a stream -> one management session with deadlines
"""
