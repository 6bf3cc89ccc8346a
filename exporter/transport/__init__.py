"""Input from a daemon: the socket of its management interface, and its status file.

connector    an endpoint to a connected stream, or the reason why not
stream       the two directions of one connection
handshake    the login of a session, and the meaning of its early end
connection   a stream to one management session, with timeouts
history      the last commands and replies of a session, for the debug page
status_file  a path to one complete status
"""
