"""Queries as in dashboards for exporters of the kumina family, in our own words."""

from dataclasses import dataclass

from tests.real.prometheus import Prometheus

INSTANCES = 'openvpn_up{status_path!=""}'

SERVER_QUERIES = {
    "clients now": 'sum by (instance) (openvpn_server_connected_clients{instance=~"$instance"})',
    "clients now, as it was spelled": (
        'sum by (instance) (openvpn_openvpn_server_connected_clients{instance=~"$instance"})'
    ),
    "what clients sent": (
        "8 * sum by (common_name) "
        '(rate(openvpn_server_client_received_bytes_total{instance=~"$instance"}[1m]))'
    ),
    "what clients got": (
        "8 * sum by (common_name) "
        '(rate(openvpn_server_client_sent_bytes_total{instance=~"$instance"}[1m]))'
    ),
    "sessions": (
        "sum by (common_name, connection_time, real_address, virtual_address) "
        '(openvpn_server_client_sent_bytes_total{instance=~"$instance"})'
    ),
    "routes": (
        "max by (common_name, virtual_address) "
        '(openvpn_server_route_last_reference_time_seconds{instance=~"$instance"})'
    ),
}

TUNNEL_QUERIES = {
    "inside": (
        'rate(openvpn_client_tun_tap_read_bytes_total{instance=~"$instance"}[1m]) '
        '+ rate(openvpn_client_tun_tap_write_bytes_total{instance=~"$instance"}[1m])'
    ),
    "on the link": 'rate(openvpn_client_tcp_udp_read_bytes_total{instance=~"$instance"}[1m])',
}

COMMON_QUERIES = {
    "up": 'openvpn_up{instance=~"$instance"}',
    "age of the status": 'time() - openvpn_status_update_time_seconds{instance=~"$instance"}',
}


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a result."""

    labels: dict[str, str]
    value: float


LegacyResults = dict[str, list[Series]]


async def query_legacy_dashboards(prom: Prometheus) -> dict[str, LegacyResults]:
    """Run all queries for each instance that such a dashboard offers; return them by daemon."""
    instances = await prom.request("label/instance/values", **{"match[]": INSTANCES})
    queries = SERVER_QUERIES | TUNNEL_QUERIES | COMMON_QUERIES
    return {
        instance.rpartition("/")[2]: {
            name: await _series(prom, query.replace("$instance", instance))
            for name, query in queries.items()
        }
        for instance in instances
    }


async def _series(prom: Prometheus, query: str) -> list[Series]:
    found = await prom.request("query", query=query)
    return [Series(one["metric"], float(one["value"][1])) for one in found["result"]]
