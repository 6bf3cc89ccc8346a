"""The management interface of a daemon, shared: read-only, with any number of tools.

pool        the shares of all daemons, as the configuration says
opening     opens their sockets
share       the share of one daemon: its sockets, and the tools that are connected
tool        the session of one tool
commands    the commands that are served, and their replies

A tool gets what the session with the daemon knows (`monitor.shared_session`). It never adds a
command to those that the exporter can send.
"""
