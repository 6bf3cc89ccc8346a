"""The asyncio tasks that monitor daemons and update `exporter.state`.

pool                the monitors of all daemons: started, reconfigured, stopped
monitor             the task of one daemon: connect, poll, reconnect with backoff
session             one management session, from the greeting to the end
schedule            when a daemon is polled
client              the commands of one session, with their replies parsed
status_file         a status file: its content and its age
status_file_poller  the polls of a status file
oneshot             one poll of each daemon: `check --connect` and `once`
port_prober         the probes of the ports of a daemon
probed_ports        the ports that are probed without a daemon
certificate_pool    the certificate files, each read once for all daemons
pki_pool            the lists of issued certificates, each read once for all daemons
refresh             polls on demand, for a scrape
shared_session      the session, as other management clients use it
reply_cache         a reply that is kept for them
backoff             the delay before the next session
rate_limit          detection of a flood of lines
log_stream          whether a session reads the log
realtime            the real-time messages of a session
password            the password of the management interface
"""
