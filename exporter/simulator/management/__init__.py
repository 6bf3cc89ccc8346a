"""The management interface of a simulated daemon: commands, session and sockets."""
