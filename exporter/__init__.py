"""Prometheus exporter for OpenVPN, over its management interface.

Data and imports go one way: `management` parses the protocol, `transport` owns the sockets,
`monitor` runs one task for each daemon, `state` keeps what is known of it, `metrics` renders that
in Prometheus' formats, `web` serves it. `app` puts them together.
"""

__version__ = "0.1.0"
