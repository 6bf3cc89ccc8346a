"""A stand-in fleet that speaks OpenVPN's management protocol, for the demo, tests and benchmarks.

It imitates OpenVPN 2.6 in server and client mode, from the words of the daemon's source and of
recorded sessions; it moves no packets and reads nothing of the rest of the exporter. Its parts:

identity, world, roster     people and strangers around a server, and what they do
server, tunnel              the two kinds of daemon
commands                    what each command answers
session, endpoint           one client at a time, on a real socket
simulated, fleet            what others use
"""

from exporter.simulator.fleet import Fleet, FleetDaemon
from exporter.simulator.simulated import Simulated, simulated_server, simulated_tunnel

__all__ = ["Fleet", "FleetDaemon", "Simulated", "simulated_server", "simulated_tunnel"]
