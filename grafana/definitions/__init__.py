"""The dashboards, one module each."""

from grafana.definitions import client, exporter, fleet, server, tunnel, usage

DASHBOARDS = (
    fleet.DASHBOARD,
    server.DASHBOARD,
    client.DASHBOARD,
    tunnel.DASHBOARD,
    usage.DASHBOARD,
    exporter.DASHBOARD,
)
