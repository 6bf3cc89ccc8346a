"""OpenVPN processes as a management client sees them, in server and in client mode.

Pure: the time is an argument, and no module here knows a socket.

daemon          a process in any mode: states, log, hold, restarts
server          server mode
tunnel          client mode
settings        the configuration of a daemon, and its release of OpenVPN
history         the state history and the log
status          the replies to `status`
env_block       the variables of `>CLIENT:` messages
log_messages    log messages about clients
"""
