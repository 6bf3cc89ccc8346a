"""The commands of the management interface: words in, reply lines out.

A command is a generator: what it does after its last line happens after the reply. Errors are
raised and become `ERROR:` lines in one place.
"""

from exporter.simulator.daemon.daemon import Daemon, Unsupported
from exporter.simulator.daemon.signal import Signal
from exporter.simulator.daemon.status import BadFormat
from exporter.simulator.management.commands import client_auth, help_text, history, kill, prompts
from exporter.simulator.management.commands.command import (
    Command,
    CommandError,
    Need,
    Reply,
    Words,
    number,
    parameter,
    require,
)

HIGHEST_VERB = 15


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
    if len(words) > 1:
        return  # sets the client's version, and says nothing
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


def _nclients(daemon: Daemon, words: Words) -> Reply:
    if daemon.client_table is None:
        raise Unsupported
    yield f"SUCCESS: nclients={daemon.client_table.established}"


def _verb(daemon: Daemon, words: Words) -> Reply:
    if len(words) == 1:
        yield f"SUCCESS: verb={daemon.log_buffer.verb}"
        return
    level = number(words[1])
    if not 0 <= level <= HIGHEST_VERB:
        raise CommandError("verb level is out of range")
    daemon.log_buffer.verb = level
    yield "SUCCESS: verb level changed"


def _mute(daemon: Daemon, words: Words) -> Reply:
    if len(words) == 1:
        yield f"SUCCESS: mute={daemon.persistent_flags.mute}"
        return
    level = number(words[1])
    if level < 0:
        raise CommandError("mute level is out of range")
    daemon.persistent_flags.mute = level
    yield "SUCCESS: mute level changed"


def _auth_retry(daemon: Daemon, words: Words) -> Reply:
    if len(words) == 1:
        yield f"SUCCESS: auth-retry={daemon.persistent_flags.auth_retry}"
        return
    if words[1] not in ("none", "nointeract", "interact"):
        yield "--auth-retry method must be 'interact', 'nointeract', or 'none'"
        raise CommandError("bad auth-retry parameter")
    daemon.persistent_flags.auth_retry = words[1]
    yield "SUCCESS: auth-retry parameter changed"


def _hold(daemon: Daemon, words: Words) -> Reply:
    match parameter(words, 1):
        case None:
            yield f"SUCCESS: hold={int(daemon.persistent_flags.hold)}"
        case "on" | "off" as state:
            daemon.persistent_flags.hold = state == "on"
            yield f"SUCCESS: hold flag set to {state.upper()}"
        case "release":
            yield "SUCCESS: hold release succeeded"
            daemon.release()
        case _:
            raise CommandError("bad hold command parameter")


def _bytecount(daemon: Daemon, words: Words) -> Reply:
    require(words, 1)
    daemon.set_bytecount(number(words[1]))
    yield "SUCCESS: bytecount interval changed"


def _env_filter(daemon: Daemon, words: Words) -> Reply:
    daemon.persistent_flags.env_filter = number(parameter(words, 1) or "0")
    yield f"SUCCESS: env_filter_level={daemon.persistent_flags.env_filter}"


def _signal(daemon: Daemon, words: Words) -> Reply:
    require(words, 1)
    if words[1] not in Signal.__members__:
        raise CommandError(f"signal '{words[1]}' is not a known signal type")
    signal = Signal(words[1])
    if daemon.pending_request is not None and signal in (Signal.SIGUSR1, Signal.SIGHUP):
        yield f"ERROR: signal '{signal}' is currently ignored"
        yield daemon.pending_request
        return
    yield f"SUCCESS: signal {signal} thrown"
    daemon.signal(signal)


def _remote_entry_count(daemon: Daemon, words: Words) -> Reply:
    if daemon.remotes is None:
        raise Unsupported
    yield str(len(daemon.remotes))
    yield "END"


def _remote_entry_get(daemon: Daemon, words: Words) -> Reply:
    require(words, 1, Need.AT_LEAST)
    if daemon.remotes is None:
        raise Unsupported
    chosen = range(len(daemon.remotes))
    if words[1] != "all":
        first = number(words[1]) % 2**32  # unsigned there: none is before the first
        last = parameter(words, 2)
        chosen = range(first, first + 1 if last is None else number(last))
    for index, remote in enumerate(daemon.remotes):
        if index in chosen:
            yield f"{index},{remote}"
    yield "END"


def _net(daemon: Daemon, words: Words) -> Reply:
    if daemon.client_table is None and daemon.remotes is None:
        raise Unsupported
    raise CommandError("Sorry, this command is currently only implemented on Windows")


def _test(daemon: Daemon, words: Words) -> Reply:
    require(words, 1)
    for index in range(number(words[1])):
        yield f"[{index}] The purpose of this command is to generate large amounts of output."


COMMANDS: dict[str, Command] = {
    "help": _help,
    "version": _version,
    "pid": _pid,
    "status": _status,
    "load-stats": _load_stats,
    "nclients": _nclients,
    "verb": _verb,
    "mute": _mute,
    "auth-retry": _auth_retry,
    "hold": _hold,
    "bytecount": _bytecount,
    "env-filter": _env_filter,
    "signal": _signal,
    "remote-entry-count": _remote_entry_count,
    "remote-entry-get": _remote_entry_get,
    "net": _net,
    "test": _test,
    **history.COMMANDS,
    **kill.COMMANDS,
    **prompts.COMMANDS,
    **client_auth.COMMANDS,
}
