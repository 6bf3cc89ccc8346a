"""How long the daemons' certificates and revocation lists hold."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Size, thresholds
from grafana.panels.table import Text, Value, table
from grafana.queries import DAEMON_LABELS, Selector, highest

_DAY = 86_400
_LONG = 36_500 * _DAY
_SOURCE = "the files themselves: those that a discovered daemon, or the configuration, names."
_NONE = "no file is named in the exporter's configuration."


def lifetimes(select: Selector) -> dashboard.Panel:
    """Show what ends when, the soonest on top."""
    certificates = highest(
        select("openvpn_certificate_not_after_timestamp_seconds"),
        *DAEMON_LABELS,
        "file",
        "directive",
        "subject",
        "serial",
    )
    lists = highest(
        select("openvpn_crl_next_update_timestamp_seconds"), *DAEMON_LABELS, "file", "issuer"
    )
    return table(
        "Certificates and revocation lists",
        Description(
            "How long each certificate and each revocation list of the daemons' files still holds, "
            "the soonest on top. A negative time is past.",
            _SOURCE,
            _NONE,
            "renew it, and reload or restart the daemon. An expired revocation list makes OpenVPN "
            "turn every client away.",
        ),
        [
            Value(
                "Holds for",
                f"({certificates} or {lists}) - time()",
                unit="s",
                colours=thresholds("red", (7 * _DAY, "yellow"), (30 * _DAY, "green"), since=-_LONG),
            ),
            Text("Daemon", "daemon"),
            Text("Use", "directive"),
            Text("Subject", "subject"),
            Text("Issuer of the list", "issuer"),
            Text("File", "file"),
            Text("Exporter", "instance"),
        ],
        no_value="No file is named",
        sort="Holds for",
        size=Size(16, 5),
    )


def problems(select: Selector) -> dashboard.Panel:
    """Show which files can't be used."""
    return table(
        "Files that can't be used",
        Description(
            "Files of certificates and revocation lists that the exporter can't read, and why.",
            _SOURCE,
            "every file that is named can be read, or none is named.",
            "rights for the exporter's user, or a path that is no longer right.",
        ),
        [
            Text("Daemon", "daemon"),
            Text("Reason", "reason"),
            Text("Use", "directive"),
            Text("File", "file"),
            Value("Problem", f"{select('openvpn_certificate_file_problem')} == 1", shown=False),
        ],
        no_value="None",
        sort="Daemon",
        size=Size(8, 5),
    )
