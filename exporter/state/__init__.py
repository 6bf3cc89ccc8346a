"""What is known of one daemon. Pure: no asyncio, no clock, no logging; time is an argument.

daemon              all of it: the last status, the counters, why the daemon is down
clients             the traffic of a server's clients, by identity
sessions            which row of a status continues which session of the last
session_matching    the same for rows that have no client id
logged_connects     clients that the log shows and no status does
process             the daemon's process: its start, its restarts
events              real-time messages, states and log lines, each counted once
seen_entries        the entries of a history that are already counted
traffic, tunnel     the daemon's totals; the statistics of a client or p2p tunnel
privacy             how names and addresses of clients are shown
down                why the daemon is down, as text
resetting_counter, histogram
                    a counter over the resets of another; a distribution
"""
