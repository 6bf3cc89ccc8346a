"""The variables of a dashboard; the choices of each depend on those before it."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import DATASOURCE

_CHOSEN_EXPORTERS = 'job=~"$job", instance=~"$instance"'


def datasource() -> dashboard.VariableModel:
    """Return the variable for the Prometheus data source."""
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.DATASOURCE,
        name="datasource",
        label="Data source",
        query="prometheus",
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
    )


def exporters() -> list[dashboard.VariableModel]:
    """Return the variables data source, job and instance.

    Series of `openvpn_up` without the label `daemon` come from other exporters or from the rules
    for their dashboards.
    """
    jobs = 'label_values(openvpn_up{daemon!=""}, job)'
    instances = 'label_values(openvpn_up{daemon!="", job=~"$job"}, instance)'
    return [
        datasource(),
        _query_variable("job", "Job", jobs, several=True),
        _query_variable("instance", "Instance", instances, several=True),
    ]


def daemons(*, several: bool) -> list[dashboard.VariableModel]:
    """Return the variables down to the daemon.

    The choices come from `openvpn_up`, which exists while a daemon is down; most metrics do not.
    """
    query = f"label_values(openvpn_up{{{_CHOSEN_EXPORTERS}}}, daemon)"
    return [*exporters(), _query_variable("daemon", "Daemon", query, several=several)]


def clients() -> list[dashboard.VariableModel]:
    """Return the variables down to one client of any of the servers.

    Expected clients are offered even with `clients.series: false`.
    """
    metrics = "openvpn_server_client_received_bytes_total|openvpn_server_expected_client_connected"
    selector = f'{{__name__=~"{metrics}", {_CHOSEN_EXPORTERS}, daemon=~"$daemon"}}'
    query = f"label_values({selector}, common_name)"
    return [*daemons(several=True), _query_variable("common_name", "Client", query, several=False)]


def _query_variable(name: str, label: str, query: str, *, several: bool) -> dashboard.VariableModel:
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
