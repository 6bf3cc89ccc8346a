"""The variables of a dashboard; the choices of each depend on those before it."""

from grafana_foundation_sdk.models import dashboard

from grafana.kinds import KINDS, Kind
from grafana.panels.panel import DATASOURCE
from grafana.queries import highest

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


def daemons() -> list[dashboard.VariableModel]:
    """Return the variables down to the daemons, of which several can be selected.

    The choices come from `openvpn_up`, which exists while a daemon is down; most metrics do not.
    """
    return [*exporters(), _daemons()]


def daemons_and_links() -> list[dashboard.VariableModel]:
    """Return the variables down to the daemons, and hidden ones for links to one daemon."""
    return [*daemons(), *(_first(kind) for kind in KINDS)]


def daemons_of(kind: Kind) -> list[dashboard.VariableModel]:
    """Return the variables down to one daemon of a kind.

    The choices are those seen in the time range: while a daemon is down, its kind is not known.
    """
    query = f"label_values(openvpn_info{{{_CHOSEN_EXPORTERS}, {kind.matcher()}}}, daemon)"
    return [*exporters(), _query_variable("daemon", "Daemon", query, several=False)]


def clients() -> list[dashboard.VariableModel]:
    """Return the variables down to one client of any of the servers.

    Expected clients are offered even with `clients.series: false`.
    """
    metrics = "openvpn_server_client_received_bytes_total|openvpn_server_expected_client_connected"
    selector = f'{{__name__=~"{metrics}", {_CHOSEN_EXPORTERS}, daemon=~"$daemon"}}'
    query = f"label_values({selector}, common_name)"
    return [*daemons(), _query_variable("common_name", "Client", query, several=False)]


def _daemons() -> dashboard.VariableModel:
    query = f"label_values(openvpn_up{{{_CHOSEN_EXPORTERS}}}, daemon)"
    return _query_variable("daemon", "Daemon", query, several=True)


def _first(kind: Kind) -> dashboard.VariableModel:
    """Return a hidden variable: the first daemon of a kind among the selected ones.

    If none of the selected daemons is of that kind, it is the first one of all.
    """
    info = f"openvpn_info{{{_CHOSEN_EXPORTERS}, {kind.matcher()}"
    selected, every = (
        highest(f"last_over_time({selector}[$__range])", "daemon")
        for selector in (f'{info}, daemon=~"$daemon"}}', f"{info}}}")
    )
    query = f"query_result(sort_desc(2 * {selected} or {every}))"
    variable = _query_variable(kind.name, kind.name.capitalize(), query, several=False)
    variable.regex = '/daemon="(.+)"/'
    variable.sort = dashboard.VariableSort.DISABLED
    variable.hide = dashboard.VariableHide.HIDE_VARIABLE
    variable.skip_url_sync = True
    return variable


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
