"""Records as Prometheus metrics.

metric          what one metric is: name, kind, help, labels
families/       which samples a record has, by subject
catalogue       every metric there is, in the order of the page
exposition      records -> the page
lines           samples -> text
formats         which format a page is written in
page            what a scrape is sent, in pieces
packing         a page -> gzip
own             the exporter's own instruments
documentation   the catalogue -> docs/metrics.md
"""
