"""The states of daemons as Prometheus metrics.

family          a metric, and the source of its samples
families/       the metrics of daemons, by subject
catalogue       all metrics, in the order of the page
encode          samples -> sample lines
info_lines      sessions -> the sample lines of an info
daemon_text     the state of a daemon -> its text in each family
column          the texts of all daemons in one family, and what is kept of them
exposition      states of daemons -> the page
page            the page, as blocks of text
gzip_page       the page -> gzip
negotiation     the text format of a response, HELP and TYPE lines
expected_clients  clients that are expected on any server -> sample lines
self_metrics    metrics about the exporter
docs            the catalogue -> docs/metrics.md
"""
