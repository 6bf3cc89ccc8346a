"""The clients of a simulated server.

population        clients that connect, transfer bytes and disconnect
profile           how often they do so, and how often failures happen
identity          names, devices and addresses of clients
instance          a client instance: one row of the status
instance_table    the instances of a server
counter           byte counters
failures          failed connections
context           what `population` and `failures` share
scheduler         actions in order of time
"""
