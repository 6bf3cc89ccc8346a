"""The variables above a dashboard: each narrows those after it."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import DATASOURCE

_CHOSEN_EXPORTERS = 'job=~"$job", instance=~"$instance"'


def datasource() -> dashboard.VariableModel:
    """Return the choice of the Prometheus that is asked."""
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.DATASOURCE,
        name="datasource",
        label="Data source",
        query="prometheus",
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
    )


def exporters() -> list[dashboard.VariableModel]:
    """Return data source, job and instance.

    Series without a daemon come from another exporter, or from rules for its dashboards.
    """
    jobs = 'label_values(openvpn_up{daemon!=""}, job)'
    instances = 'label_values(openvpn_up{daemon!="", job=~"$job"}, instance)'
    return [
        datasource(),
        _choice("job", "Job", jobs, several=True),
        _choice("instance", "Instance", instances, several=True),
    ]


def daemons(*, several: bool) -> list[dashboard.VariableModel]:
    """Return all down to the daemon.

    From openvpn_up, which is there while a daemon is down: any other metric would lose just the
    daemons that one looks for.
    """
    query = f"label_values(openvpn_up{{{_CHOSEN_EXPORTERS}}}, daemon)"
    return [*exporters(), _choice("daemon", "Daemon", query, several=several)]


def clients() -> list[dashboard.VariableModel]:
    """Return all down to one client of any of the servers.

    Expected clients are there even where `clients.series` is off.
    """
    metrics = "openvpn_server_client_received_bytes_total|openvpn_server_expected_client_connected"
    selector = f'{{__name__=~"{metrics}", {_CHOSEN_EXPORTERS}, daemon=~"$daemon"}}'
    query = f"label_values({selector}, common_name)"
    return [*daemons(several=True), _choice("common_name", "Client", query, several=False)]


def _choice(name: str, label: str, query: str, *, several: bool) -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=name,
        label=label,
        query={"query": query, "refId": name},
        definition=query,
        datasource=DATASOURCE,
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.NATURAL_ASC,
        multi=several,
        include_all=several,
        all_value=".+" if several else None,
        current=dashboard.VariableOption(text="All", value="$__all") if several else None,
    )
