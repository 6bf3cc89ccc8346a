"""The commands that decide about clients who wait to be let in (`--management-client-auth`)."""

from exporter.simulator.daemon.daemon import Daemon, Unsupported
from exporter.simulator.management.commands.command import (
    Command,
    CommandError,
    Need,
    Reply,
    Words,
    parse,
    require,
)

BLOCK = "client-auth"
"""The command whose parameters go on in further lines, up to `END`."""


def opens_block(words: Words) -> bool:
    """Tell whether further lines belong to the command: not if it is wrong already."""
    if words[0] != BLOCK or len(words) < 3:
        return False
    return all(word.lstrip().isdigit() for word in words[1:3])


def _admit(daemon: Daemon, words: Words) -> Reply:
    require(words, 2)
    yield _decide(daemon, words, name="client-auth", admit=True)


def _deny(daemon: Daemon, words: Words) -> Reply:
    require(words, 3, Need.AT_LEAST)
    yield _decide(daemon, words, name="client-deny", admit=False)


def _pending(daemon: Daemon, words: Words) -> Reply:
    require(words, 4)
    parse(words[1], "CID")
    parse(words[2], "KID")
    if daemon.client_table is None:
        raise Unsupported
    raise CommandError("client-pending-auth command failed. Extra parameter might be too long")


def _decide(daemon: Daemon, words: Words, *, name: str, admit: bool) -> str:
    client_id, key_id = parse(words[1], "CID"), parse(words[2], "KID")
    if daemon.client_table is None:
        raise Unsupported(name)
    if not daemon.decide(client_id, key_id, admit=admit):
        raise CommandError(f"{name} command failed")
    return f"SUCCESS: {name} command succeeded"


COMMANDS: dict[str, Command] = {
    "client-auth": _admit,
    "client-auth-nt": _admit,
    "client-deny": _deny,
    "client-pending-auth": _pending,
}
