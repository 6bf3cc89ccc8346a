"""Prometheus exporter for OpenVPN, over its management interface.

Data and imports have one direction: `management` parses the protocol, `transport` owns the sockets,
`monitor` runs a task for each daemon, `state` has its last status and counters, `metrics` renders
them in Prometheus' formats, `web` serves them. `app` connects these parts.

    cli               the commands of the command line
    app               the composition root
    web               the HTTP server
    sharing           the management interface of a daemon, shared with other tools
    reload            the reload of the configuration
    metrics           states of daemons -> Prometheus' text formats
    monitor           the asyncio tasks that poll daemons
    state             the last status and the counters of a daemon
    transport         connections to management interfaces
    certificates      certificates and CRLs of daemons
    config            the configuration
    openvpn_config    OpenVPN's own configuration files
    port_probe        the first packet of a VPN client and the server's reply, without I/O
    management        the management protocol, without I/O
    alert_rules       the alert rules for Prometheus
    dashboards        the dashboards for Grafana
    simulator         simulated daemons for the demo, tests and benchmarks
    aio, files, descriptors, garbage, log, secret
                      asyncio, files, file descriptors, garbage collections, the log, secrets
"""

__version__ = "0.1.0"
