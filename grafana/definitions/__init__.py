"""The dashboards, one module each."""

from grafana.definitions import client, exporter, fleet, server, tunnel

DASHBOARDS = (
    fleet.DASHBOARD,
    server.DASHBOARD,
    client.DASHBOARD,
    tunnel.DASHBOARD,
    exporter.DASHBOARD,
)
