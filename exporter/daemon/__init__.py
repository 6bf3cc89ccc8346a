"""One daemon over time: asks it, and keeps what is known of it.

The tasks:

    asking      one visit that asks everything once
    monitor     visit, wait, come back: the task of one daemon
    visit       one session with it, from the greeting to the end
    password    what its management interface asks for
    file_polls  its status file, read while there is no session
    poll        the commands of one session and of one poll
    backoff     how long to wait before coming back
    demand      a reading wanted before it is due
    courtesy    when to leave the slot to somebody else
    flood       when the log is more than anybody can mean to read
    turns       giving way to others between long steps

What is known; pure, time is an argument:

    record      everything about one daemon
    process     since when it runs, and whether it is still the same one
    outage      why it can't be asked, for people
    events      what happened between polls, each counted once
    sequence    a stream of entries that is seen in pieces
    ledger      the traffic of a server's clients, by identity
    sessions    which row of one status goes on with which of the last
    reunion, announcements
                where the key of a row doesn't tell; clients that no status has shown yet
    privacy     what may be shown of the people behind clients
    traffic, tunnel
                the daemon's own totals; those of a client's tunnel
    growth, histogram
                a counter over the resets of another; a distribution
"""
