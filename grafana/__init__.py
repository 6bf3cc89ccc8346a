"""The Grafana dashboards as code: `python -m grafana` writes their JSON.

    queries        selectors and functions on them, in PromQL
    kinds          servers and tunnels, and the dashboard of each
    mappings       value mappings: the text and colour of a number
    variables      the variables of a dashboard
    annotations    the annotations of a dashboard
    links          links from one dashboard to another
    panels/        one module per type of panel
    shared_panels/ panels by subject; several dashboards have most of them
    layout         rows and panels as a dashboard
    definitions/   one module per dashboard
    writer         a dashboard as JSON

For development only: the package contains the JSON.
"""

import warnings

# The SDK's models for Grafana 13 replace these, but Grafana 10.4 reads only these.
warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
