"""Simulated OpenVPN daemons with a management interface, for the demo, tests and benchmarks.

It imitates OpenVPN 2.6 in server and client mode, from the words of the daemon's source and of
recorded sessions; it moves no packets and knows nothing of the exporter. From the inside out:

world           people and strangers around a server, and what they do
daemon          processes in server and client mode: states, log, status
management      what they answer, to one client at a time, on a real socket
simulated       single daemons at real addresses
fleet           the fleet of the demo
"""

from exporter.simulator.fleet import Fleet, FleetDaemon
from exporter.simulator.simulated_daemon import (
    ManagementOptions,
    SimulatedDaemon,
    simulated_server,
    simulated_tunnel,
)

__all__ = [
    "Fleet",
    "FleetDaemon",
    "ManagementOptions",
    "SimulatedDaemon",
    "simulated_server",
    "simulated_tunnel",
]
