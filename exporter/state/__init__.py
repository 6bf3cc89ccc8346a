"""What is known of one daemon. Pure: no asyncio, no clock, no logging; time is an argument.

daemon              what each reply, message and failure changes
daemon_facts        all that is known: the last status, counters, why the daemon is down
clients             the traffic of a server's clients, by identity
client_totals       the totals of one identity
client_session      one session of a client: its last row, its growth, its rate
sessions            which row of a status continues which session of the last
first_status        which sessions are not older than the exporter
session_keys        the keys by which sessions are known
known_rows          the sessions of rows that were in the last status
session_matching    the same for rows whose session has another key
logged_connects     clients whose connect is in the log, until a status shows them
logins              clients that the daemon has let in or rejected, which no row may show
logged_logins       what the lines of its log say of them
oldest              drops the oldest entries of a dictionary
idle_clients        clients that move hardly more than keepalives
session_counts      sessions that may share a certificate or a password with others
client_certificates the certificates of clients, compared with those that were issued
expected_clients    the clients that are expected on any of several servers
status_counters     the counters that statuses drive: of clients, of a tunnel, of the daemon
status_order        where restarts belong between the statuses of session and file
port_probes         the ports that are probed: last results, outcomes, own traces
probe_safety        whether a probe could harm the daemon
process             the daemon's process: its start time, its restarts
modes               the modes that the daemon may have
events              real-time messages, states and log lines, each counted once
failed_commands     commands whose replies could not be used
poll_durations      how long polls took
failures            failures that the log mentions in several lines, each counted once
traffic             the daemon's own byte totals
counters            counters that outlive the resets of the daemon's own, and a histogram
sharing             the tools with which the management interface is shared
privacy             how names and addresses of clients are shown
down                why the daemon is down
revision            revisions of a state, for text that is rendered from it
"""
