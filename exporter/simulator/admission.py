"""The commands that decide about clients waiting to be let in: nobody ever waits here.

A simulated server admits its clients by itself, so these fail as they do on a server without
`--management-client-auth`.
"""

from exporter.simulator.command import Command, CommandError, Need, Reply, Words, parse, require
from exporter.simulator.daemon import Daemon, Unsupported


def _decide(name: str, count: int, need: Need) -> Command:
    def command(daemon: Daemon, words: Words) -> Reply:
        require(words, count, need)
        parse(words[1], "CID")
        parse(words[2], "KID")
        if daemon.roster is None:
            raise Unsupported(name)
        raise CommandError(f"{name} command failed")

    return command


COMMANDS: dict[str, Command] = {
    "client-auth-nt": _decide("client-auth", 2, Need.EXACTLY),
    "client-deny": _decide("client-deny", 3, Need.AT_LEAST),
    "client-pending-auth": _decide("client-pending-auth", 4, Need.EXACTLY),
}
