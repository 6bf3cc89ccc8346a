"""The dashboards, one module each."""

from grafana.boards import client, exporter, fleet, server, tunnel

BOARDS = (fleet.BOARD, server.BOARD, client.BOARD, tunnel.BOARD, exporter.BOARD)
