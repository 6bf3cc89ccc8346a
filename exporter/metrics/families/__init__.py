"""The metrics of daemons by subject; each module lists its families.

daemon          one daemon: up or down, version, state, traffic, the statistics of a tunnel
events          events and prompts
server          a server, and all its clients together
clients         the single clients of a server
certificates    the certificates and CRLs of a daemon
client_certificates  those that the CA has issued, and those of the connected clients
port_probes     the probes of ports
exporter        polls and sessions of the exporter, by daemon
sharing         tools that are connected to the management interface, and their commands
"""
