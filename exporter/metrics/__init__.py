"""Records as Prometheus metrics.

metric          what one metric is: name, kind, help, labels
families/       which samples a record has, by subject
catalogue       every metric there is, in the order of the page
exposition      records -> the page, in both formats
own             the exporter's own instruments
documentation   the catalogue -> docs/metrics.md
"""
