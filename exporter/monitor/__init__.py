"""The asyncio tasks that watch daemons, and feed what they learn to `exporter.state`.

pool                the monitors of all daemons: started, reconfigured, stopped
monitor             the task of one daemon: connect, poll, reconnect with backoff
session             one management session, from the greeting to the end
client              the commands of one session and of one poll
status_file         the polls of a status file
oneshot, round      one poll of one daemon, and of all: `check` and `once`
refresh             polls on demand, for a scrape
backoff             the delay before the next connection
log_rate_limit      when the daemon sends more log lines than can be read
turns               yielding to the event loop between long steps
password            the password of the management interface
"""
