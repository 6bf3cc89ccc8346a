"""Panels about the expiry of certificates and CRLs."""

from grafana_foundation_sdk.models import dashboard

from grafana.kinds import BOARD, with_board
from grafana.links import TO_DAEMON
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.queries import DAEMON_LABELS, Selector, highest

_DAY = 86_400
_LONG = 36_500 * _DAY
_SOURCE = "the files named by the exporter's configuration or by a discovered daemon."
_NONE = "no file is configured, and none was discovered."


_EXPIRY_COLOURS = thresholds("red", (7 * _DAY, "yellow"), (30 * _DAY, "green"), since=-_LONG)


def soonest_expiry(select: Selector) -> dashboard.Panel:
    """Return the time until the first certificate expires."""
    return stat(
        "Certificate expiry",
        Description(
            "Time until the first certificate expires, of the daemons and of their CAs. A negative "
            "time is in the past.",
            _SOURCE,
            _NONE,
            "the table *Certificates and CRLs* shows which one; renew it, then reload or restart "
            "the daemon.",
        ),
        Query(f"min({select('openvpn_certificate_not_after_timestamp_seconds')}) - time()"),
        unit="s",
        decimals=1,
        colours=_EXPIRY_COLOURS,
        no_value="no file",
    )


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
    crls = f'label_replace({crls}, "directive", "crl-verify", "", "")'
    crls = f'label_join({crls}, "subject", "", "issuer")'
    return table(
        "Certificates and CRLs",
        Description(
            "Time until each certificate and CRL of the daemons' files expires, the soonest on "
            "top. A negative time is in the past. The subject of a CRL is its issuer.",
            _SOURCE,
            _NONE,
            "renew it, then reload or restart the daemon. With an expired CRL OpenVPN rejects "
            "all clients.",
        ),
        [
            Value(
                "Expires in",
                with_board(f"({certificates} or {crls}) - time()", select),
                unit="s",
                colours=_EXPIRY_COLOURS,
                width=110,
            ),
            Text("Daemon", "daemon", links=(TO_DAEMON,), width=130),
            Text("Directive", "directive", width=90),
            Text("Subject", "subject", width=150),
            Text("File", "file"),
            Text("Exporter", "instance"),
            Text("Job", "job", hidden=True),
            Text("Dashboard", BOARD, hidden=True),
        ],
        no_value="No file is configured",
        sort="Expires in",
        size=Size(16, 7),
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
            Text("Daemon", "daemon", links=(TO_DAEMON,)),
            Text("Reason", "reason"),
            Text("Directive", "directive"),
            Text("File", "file"),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
            Text("Dashboard", BOARD, hidden=True),
            Value(
                "Problem",
                with_board(f"{select('openvpn_certificate_file_problem')} == 1", select),
                shown=False,
            ),
        ],
        no_value="None",
        sort="Daemon",
        size=Size(8, 7),
    )
