"""One daemon over time: asks it, and keeps what is known of it.

monitor     connect, ask, wait, come back: the task of one daemon
poll        the commands of one session and of one poll
backoff     how long to wait before coming back
record      what is known of one daemon; pure
ledger      the traffic of its clients, told apart by identity; pure
growth      a counter that survives the resets of another; pure
"""
