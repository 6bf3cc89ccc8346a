"""The command line: `openvpn-exporter [COMMAND] [FLAGS]`.

    main            the command of a command line; errors -> exit codes
    subcommand      the type of a command
    migration       flags of other exporters, and what to write instead
    environment     environment variables in place of flags
    options         flags that commands share: daemons, web, log
    streams         standard output and standard error
    port_probes     the ports of `check --connect --port-probe`
    issued_certificates
                    the lists of issued certificates of `check`
    expected_clients
                    the clients that `check` expects on any server
    output          what commands print or write: text, tables, findings
    kubernetes      Kubernetes objects around rules and dashboards
    serve, check, once, demo, rules, dashboards, migrate
                    one module for each command

Without a command, the flags are those of `serve`.
"""

import gc

# With Python's own thresholds, a tenth of the time of these imports would be garbage collections.
# Each new object is looked at once; then what was imported is exempt.
_thresholds = gc.get_threshold()
gc.set_threshold(20_000, 1000)
from exporter.cli.main import main  # noqa: E402

gc.freeze()
gc.set_threshold(*_thresholds)

__all__ = ["main"]
