"""Where bytes of a daemon come in: the sockets of its management interface, its status file.

opening      an endpoint -> a connected stream, or why not
resolving    a host name -> addresses
stream       both directions of one connection
login        the beginning of a session, and what an early end means
connection   a stream -> one management session with deadlines
dialogue     the last words of a session, for people who look for a fault
status_file  a path -> one whole status
"""
