"""The log events that are counted: one row for each.

event      what a row has
handshake  TLS, certificates, control packets
logins     authentication
packets    data packets, and the connections under them
server     limits, scripts, plugins, files
client     the connection of a client to its server
failures   the lines that belong to one failure
"""

from exporter.management.log_events.client import CLIENT_EVENTS
from exporter.management.log_events.event import LogEvent
from exporter.management.log_events.handshake import HANDSHAKE_EVENTS
from exporter.management.log_events.logins import LOGIN_EVENTS
from exporter.management.log_events.packets import PACKET_EVENTS
from exporter.management.log_events.server import SERVER_EVENTS

LOG_EVENTS = (
    *HANDSHAKE_EVENTS,
    *LOGIN_EVENTS,
    *PACKET_EVENTS,
    *SERVER_EVENTS,
    *CLIENT_EVENTS,
)

__all__ = ["LOG_EVENTS", "LogEvent"]
