"""What the exporter costs: its scrapes, and its process."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query, Size
from grafana.panels.time_series import HALF, time_series
from grafana.queries import Selector, per_second, total

_THIRD = Size(8, 8)
_NOT_SCRAPED = "no exporter is scraped."


def panels(select: Selector) -> list[dashboard.Panel]:
    """Return all of them, for exporters."""
    return [_scrape_time(select), _samples(select), _cpu(select), _memory(select), _files(select)]


def _scrape_time(select: Selector) -> dashboard.Panel:
    """Show how long scrapes take."""
    return time_series(
        "Time of a scrape",
        Description(
            "How long Prometheus takes to scrape the exporter.",
            "Prometheus itself: `scrape_duration_seconds`.",
            "no such job or instance.",
            "near the scrape timeout: fewer series, or several exporters.",
        ),
        [Query(select("scrape_duration_seconds"), "{{instance}}")],
        unit="s",
        no_value="Not scraped",
        size=_THIRD,
    )


def _samples(select: Selector) -> dashboard.Panel:
    """Show how much they bring."""
    return time_series(
        "Samples of a scrape",
        Description(
            "How many samples a scrape brings: what the exporter costs Prometheus.",
            "Prometheus itself: `scrape_samples_scraped`.",
            "no such job or instance.",
            "most belong to clients: `clients.series`, `clients.info` and `clients.limit` bound "
            "them.",
        ),
        [Query(select("scrape_samples_scraped"), "{{instance}}")],
        unit="short",
        no_value="Not scraped",
        size=_THIRD,
    )


def _cpu(select: Selector) -> dashboard.Panel:
    """Show the use of the processor."""
    return time_series(
        "Processor",
        Description(
            "Share of one processor core that the exporter uses.",
            "`process_cpu_seconds_total`.",
            _NOT_SCRAPED,
            "it follows the number of clients and `poll_interval`.",
        ),
        [
            Query(
                total(per_second(select("process_cpu_seconds_total")), "instance"),
                "{{instance}}",
            )
        ],
        unit="percentunit",
        no_value="Nothing measured yet",
        size=_THIRD,
    )


def _memory(select: Selector) -> dashboard.Panel:
    """Show the memory of the process."""
    return time_series(
        "Memory",
        Description(
            "Resident memory of the exporter.",
            "`process_resident_memory_bytes`.",
            _NOT_SCRAPED,
            "it follows the number of clients and should be flat for days; if it isn't, report it.",
        ),
        [Query(select("process_resident_memory_bytes"), "{{instance}}")],
        unit="bytes",
        no_value="Nothing measured yet",
        size=HALF,
    )


def _files(select: Selector) -> dashboard.Panel:
    """Show its open files."""
    return time_series(
        "Open files",
        Description(
            "Open files as a share of what the process may have: sockets to daemons and from "
            "scrapers.",
            "`process_open_fds`, `process_max_fds`.",
            _NOT_SCRAPED,
            "near 100 %: raise `LimitNOFILE` of the service.",
        ),
        [
            Query(
                f"{select('process_open_fds')} / {select('process_max_fds')}",
                "{{instance}}",
            )
        ],
        unit="percentunit",
        no_value="Nothing measured yet",
        at_most=1,
        size=HALF,
    )
