"""Panels about the certificates that a CA has issued to clients."""

from grafana_foundation_sdk.models import dashboard

from grafana.links import TO_CLIENT, TO_SERVER
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.table import Text, Value, table
from grafana.panels.time_series import time_series
from grafana.queries import DAEMON_LABELS, Selector, highest, total

_DAY = 86_400
_SOURCE = "the list of `pki`, which the CA keeps; OpenVPN does not know it."
_NONE = "`pki` is not configured."
_LIST = (*DAEMON_LABELS, "file")
_EXPIRY_COLOURS = thresholds("red", (2 * _DAY, "yellow"), (14 * _DAY, "green"), since=-30 * _DAY)


def lists(select: Selector) -> dashboard.Panel:
    """Return a table of the lists of issued certificates."""
    counts = {
        state: highest(select("openvpn_issued_certificates", f'state="{state}"'), *_LIST)
        for state in ("valid", "expired", "revoked")
    }
    soonest = highest(select("openvpn_issued_certificates_next_expiry_timestamp_seconds"), *_LIST)
    expiring = highest(select("openvpn_issued_certificates_expiring", 'within="14d"'), *_LIST)
    return table(
        "Issued certificates",
        Description(
            "The certificates of each list by state, those of servers included. *Next expiry* is "
            "when the next name is left without a valid certificate, *Within 14 days* the names "
            "to which that happens.",
            _SOURCE,
            f"{_NONE} Or the list could not be read yet.",
            "renew what is still needed, revoke the rest.",
        ),
        [
            Text("Daemon", "daemon", links=(TO_SERVER,), width=130),
            Text("List", "file"),
            Value("Next expiry", f"{soonest} - time()", unit="s", colours=_EXPIRY_COLOURS),
            Value("Within 14 days", expiring, decimals=0),
            *(
                Value(state.capitalize(), expression, decimals=0, width=80)
                for state, expression in counts.items()
            ),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
        ],
        no_value="No list is configured",
        sort="Next expiry",
        size=Size(12, 7),
    )


def invalid_clients(select: Selector) -> dashboard.Panel:
    """Return a table of the clients that are connected with an invalid certificate."""
    sessions = select("openvpn_server_client_invalid_certificate_sessions")
    return table(
        "Clients with an invalid certificate",
        Description(
            "Clients that are connected with a revoked or expired certificate.",
            f"{_SOURCE} The serial number comes from `>CLIENT:ESTABLISHED`, else the name decides.",
            f"there is none, names are hidden by `privacy`, or {_NONE}",
            "OpenVPN disconnects it within two hours if its CRL is new. Else create the CRL, and "
            "disconnect the client.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            Text("Certificate", "state", width=100),
            Text("Server", "daemon", links=(TO_SERVER,), width=130),
            Value("Sessions", highest(sessions, *DAEMON_LABELS, "common_name", "state"), width=80),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
        ],
        no_value="None",
        sort="Certificate",
        descending=True,
        size=Size(12, 7),
    )


def clients_by_state(select: Selector) -> dashboard.Panel:
    """Return the connected clients by the state of their certificate."""
    return time_series(
        "Clients by certificate",
        Description(
            "Connected clients by the state of their certificate. `unknown`: the list has neither "
            "its serial number nor its name.",
            f"{_SOURCE} And `status`.",
            f"the server is down, or {_NONE}",
            "`revoked` for longer than two hours: the CRL is old, or the daemon has none.",
        ),
        [
            Query(
                total(select("openvpn_server_clients_by_certificate"), "state"),
                "{{state}}",
            )
        ],
        unit="short",
        no_value="No list is configured, or the server is down",
        size=Size(12, 8),
    )


def expiries(select: Selector) -> dashboard.Panel:
    """Return a table of the names and the expiry of their certificates, the soonest on top."""
    not_after = highest(
        select("openvpn_issued_certificate_not_after_timestamp_seconds"),
        *DAEMON_LABELS,
        "common_name",
    )
    return table(
        "Expiry by name",
        Description(
            "Time until the last valid certificate of each name expires, the soonest on top. A "
            "negative time is in the past.",
            _SOURCE,
            "`series` of `pki` is off, as it is by default, or names are hidden by `privacy`.",
            "renew what is still needed, revoke the rest.",
        ),
        [
            Value(
                "Expires in", f"{not_after} - time()", unit="s", colours=_EXPIRY_COLOURS, width=110
            ),
            Text("Name", "common_name", links=(TO_CLIENT,)),
            Text("Server", "daemon", links=(TO_SERVER,)),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
        ],
        no_value="'series' of 'pki' is off, or no list is configured",
        sort="Expires in",
        size=Size(12, 8),
    )
