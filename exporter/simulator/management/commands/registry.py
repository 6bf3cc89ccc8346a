"""The commands of the management interface: words in, reply lines out.

A command is a generator: what it does after its last line happens after the reply. Errors are
raised and become `ERROR:` lines in one place.
"""

from exporter.simulator.daemon.daemon import Daemon, Unsupported
from exporter.simulator.daemon.status import BadFormat
from exporter.simulator.management.commands import help_text, history
from exporter.simulator.management.commands.command import (
    Command,
    CommandError,
    Reply,
    Words,
    number,
    parameter,
    require,
)


def execute(daemon: Daemon, words: Words) -> Reply:
    """Carry out a command; yields the lines of its reply.

    `exit` and `quit` aren't here: they concern the session, not the daemon.
    """
    command = COMMANDS.get(words[0])
    if command is None:
        yield "ERROR: unknown command, enter 'help' for more options"
        return
    try:
        yield from command(daemon, words)
    except CommandError as error:
        yield f"ERROR: {error}"
    except Unsupported as error:
        name = str(error) or words[0]
        yield f"ERROR: The '{name}' command is not supported by the current daemon mode"


def _help(daemon: Daemon, words: Words) -> Reply:
    yield f"Management Interface for {daemon.settings.release.title}"
    yield from help_text.COMMANDS
    yield "END"


def _version(daemon: Daemon, words: Words) -> Reply:
    _refuse_parameters(words)
    release = daemon.settings.release
    yield f"OpenVPN Version: {release.title}"
    yield f"Management Version: {release.management_version}"
    yield "END"


def _pid(daemon: Daemon, words: Words) -> Reply:
    yield f"SUCCESS: pid={daemon.settings.pid}"


def _status(daemon: Daemon, words: Words) -> Reply:
    try:
        yield from daemon.status(number(parameter(words, 1) or "0"))
    except BadFormat:
        raise CommandError("bad status format version number") from None


def _load_stats(daemon: Daemon, words: Words) -> Reply:
    stats = daemon.load_stats()
    yield f"SUCCESS: nclients={stats.clients},bytesin={stats.received},bytesout={stats.sent}"


def _verb(daemon: Daemon, words: Words) -> Reply:
    _refuse_parameters(words)
    yield f"SUCCESS: verb={daemon.log_buffer.verb}"


def _hold(daemon: Daemon, words: Words) -> Reply:
    _refuse_parameters(words)
    yield f"SUCCESS: hold={int(daemon.settings.hold)}"


def _bytecount(daemon: Daemon, words: Words) -> Reply:
    require(words, 1)
    if number(words[1]) > 0:
        raise CommandError("bytecount is not simulated")
    yield "SUCCESS: bytecount interval changed"


def _refuse_parameters(words: Words) -> None:
    """Refuse what would change a setting."""
    if len(words) > 1:
        raise CommandError(f"'{words[0]}' with a parameter is not simulated")


COMMANDS: dict[str, Command] = {
    "help": _help,
    "version": _version,
    "pid": _pid,
    "status": _status,
    "load-stats": _load_stats,
    "verb": _verb,
    "hold": _hold,
    "bytecount": _bytecount,
    **history.COMMANDS,
}
