"""Panels about the expiry of certificates and CRLs."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Size, thresholds
from grafana.panels.table import Text, Value, table
from grafana.queries import DAEMON_LABELS, Selector, highest

_DAY = 86_400
_LONG = 36_500 * _DAY
_SOURCE = "the files named by the exporter's configuration or by a discovered daemon."
_NONE = "no file is configured, and none was discovered."


def lifetimes(select: Selector) -> dashboard.Panel:
    """Return a table of expiry times, the soonest on top."""
    certificates = highest(
        select("openvpn_certificate_not_after_timestamp_seconds"),
        *DAEMON_LABELS,
        "file",
        "directive",
        "subject",
        "serial",
    )
    crls = highest(
        select("openvpn_crl_next_update_timestamp_seconds"), *DAEMON_LABELS, "file", "issuer"
    )
    return table(
        "Certificates and CRLs",
        Description(
            "Time until each certificate and CRL of the daemons' files expires, the soonest on"
            " top. A negative time is in the past.",
            _SOURCE,
            _NONE,
            "renew it, then reload or restart the daemon. With an expired CRL OpenVPN rejects "
            "all clients.",
        ),
        [
            Value(
                "Expires in",
                f"({certificates} or {crls}) - time()",
                unit="s",
                colours=thresholds("red", (7 * _DAY, "yellow"), (30 * _DAY, "green"), since=-_LONG),
            ),
            Text("Daemon", "daemon"),
            Text("Directive", "directive"),
            Text("Subject", "subject"),
            Text("CRL issuer", "issuer"),
            Text("File", "file"),
            Text("Exporter", "instance"),
        ],
        no_value="No file is configured",
        sort="Expires in",
        size=Size(16, 5),
    )


def problems(select: Selector) -> dashboard.Panel:
    """Return a table of files that cannot be read."""
    return table(
        "Certificate file problems",
        Description(
            "Certificate and CRL files that the exporter cannot read, with the reason.",
            _SOURCE,
            "all files can be read, or none is configured.",
            "the exporter's user needs read permission, or the path is wrong.",
        ),
        [
            Text("Daemon", "daemon"),
            Text("Reason", "reason"),
            Text("Directive", "directive"),
            Text("File", "file"),
            Value("Problem", f"{select('openvpn_certificate_file_problem')} == 1", shown=False),
        ],
        no_value="None",
        sort="Daemon",
        size=Size(8, 5),
    )
