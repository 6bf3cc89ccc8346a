"""The management interface in front of a daemon: the socket, the session and its lines."""
