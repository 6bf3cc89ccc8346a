"""The command line: `openvpn-exporter [COMMAND] [FLAGS]`.

    program         which command is meant; failures to exit codes
    command         what a command is
    source, flags   flags that commands share: where the daemons come from; web, log
    output, table   what commands write: to the terminal or a file; rows
    discovered      what stands in the way of watching daemons, for people
    serve, demo …   one file for each command

Without a command, the flags are those of `serve`.
"""

from exporter.cli.main import main

__all__ = ["main"]
