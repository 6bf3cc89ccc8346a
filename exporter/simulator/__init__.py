"""Simulated OpenVPN daemons with a management interface, for the demo, tests and benchmarks.

They imitate OpenVPN 2.6 in server and client mode, by its source and by recorded sessions. They
move no packets. Of the exporter they share the server side of the protocol alone.

    population        the clients of a server: sessions, traffic, failures
    daemon            processes in server and client mode: states, log, status
    management        their commands and sockets
    simulated_daemon  single daemons at real addresses
    certificates      certificate files of the demo
    index             the index of the demo's CA
    fleet             the daemons of the demo
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
