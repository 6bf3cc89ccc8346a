"""The Grafana dashboards, as code: `python -m grafana` writes them.

    queries    selectors and what is done to them, in PromQL
    words      what numbers mean, in words and colours
    panels/    one module a kind of panel
    parts/     panels that more than one dashboard shows
    boards/    one module a dashboard
    writing    boards as the JSON that Grafana reads

Development only: what users get is the JSON.
"""

import warnings

# The models warn of themselves. The newer ones are for Grafana 13; these are read by 10.4, too.
warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
