"""The Grafana dashboards, as code: `python -m grafana` writes them.

    queries    selectors and what is done to them, in PromQL
    panels/    one module a kind of panel
    boards/    one module a dashboard
    writing    boards as the JSON that Grafana reads

Development only: what users get is the JSON.
"""
