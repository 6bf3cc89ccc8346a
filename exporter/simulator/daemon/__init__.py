"""OpenVPN processes as a management client sees them, in server and in client mode.

Pure: the time is an argument, and no module here knows a socket.
"""
