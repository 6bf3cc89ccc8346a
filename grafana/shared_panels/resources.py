"""Panels about the resource usage of the exporter: scrapes and process."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query, Size
from grafana.panels.time_series import HALF, time_series
from grafana.queries import Selector, per_second, total

_THIRD = Size(8, 8)
_NOT_SCRAPED = "no exporter is scraped."


def panels(select: Selector) -> list[dashboard.Panel]:
    """Return all panels; the selector is for exporters."""
    return [
        _scrape_duration(select),
        _samples(select),
        _cpu(select),
        _memory(select),
        _open_files(select),
    ]


def _scrape_duration(select: Selector) -> dashboard.Panel:
    return time_series(
        "Scrape duration",
        Description(
            "Duration of a scrape of the exporter.",
            "Prometheus: `scrape_duration_seconds`.",
            "there is no such job or instance.",
            "near the scrape timeout: export fewer series, or run several exporters.",
        ),
        [Query(select("scrape_duration_seconds"), "{{instance}}")],
        unit="s",
        no_value="Not scraped",
        size=_THIRD,
    )


def _samples(select: Selector) -> dashboard.Panel:
    return time_series(
        "Samples per scrape",
        Description(
            "Number of samples in a scrape.",
            "Prometheus: `scrape_samples_scraped`.",
            "there is no such job or instance.",
            "most samples belong to clients: `clients.series`, `clients.info` and "
            "`clients.limit` reduce them.",
        ),
        [Query(select("scrape_samples_scraped"), "{{instance}}")],
        unit="short",
        no_value="Not scraped",
        size=_THIRD,
    )


def _cpu(select: Selector) -> dashboard.Panel:
    return time_series(
        "CPU",
        Description(
            "CPU usage of the exporter as a share of one core.",
            "`process_cpu_seconds_total`.",
            _NOT_SCRAPED,
            "it depends on the number of clients and `poll_interval`.",
        ),
        [
            Query(
                total(per_second(select("process_cpu_seconds_total")), "instance"),
                "{{instance}}",
            )
        ],
        unit="percentunit",
        no_value="No data yet",
        size=_THIRD,
    )


def _memory(select: Selector) -> dashboard.Panel:
    return time_series(
        "Memory",
        Description(
            "Resident memory of the exporter.",
            "`process_resident_memory_bytes`.",
            _NOT_SCRAPED,
            "it depends on the number of clients and should be constant over days; if it is "
            "not, please report it.",
        ),
        [Query(select("process_resident_memory_bytes"), "{{instance}}")],
        unit="bytes",
        no_value="No data yet",
        size=HALF,
    )


def _open_files(select: Selector) -> dashboard.Panel:
    return time_series(
        "Open files",
        Description(
            "Open file descriptors as a share of the limit: mostly sockets of daemons and scrapes.",
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
        no_value="No data yet",
        at_most=1,
        size=HALF,
    )
