"""Clients that are idle, or may share a certificate, a password or an address."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query, Size
from grafana.panels.time_series import time_series
from grafana.queries import Selector, total


def counts(select: Selector) -> dashboard.Panel:
    """Return the numbers of such clients over time."""
    connected = total(select("openvpn_server_connected_clients"))
    pool = total(select("openvpn_server_address_pool_size"))
    return time_series(
        "Idle and shared clients",
        Description(
            "*Idle*: they move hardly more than keepalives for `clients.idle_after`. *Names at "
            "several addresses*: sessions of one name from more than one host at the same time. "
            "*Other user name*: it is not the common name. *Beyond the pool*: more clients than "
            "the address pool has; they have static addresses, or none.",
            "`status`, compared by the exporter.",
            "the server is down; idle clients are known after `clients.idle_after`; the size of "
            "the pool must be known.",
            "a step in *Names at several addresses* or *Other user name* where both are always 0: "
            "find out whose certificate is used elsewhere.",
        ),
        [
            Query(total(select("openvpn_server_idle_clients")), "idle"),
            Query(
                total(select("openvpn_server_client_names_at_several_addresses")),
                "names at several addresses",
            ),
            Query(total(select("openvpn_server_clients_with_other_username")), "other user name"),
            Query(f"clamp_min({connected} - {pool}, 0)", "beyond the pool"),
        ],
        unit="short",
        no_value="The server is down",
        size=Size(24, 8),
    )
