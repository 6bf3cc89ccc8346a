"""The commands of a simulated daemon: those that an exporter sends, and `help`."""

from collections.abc import Callable, Iterable, Sequence

from exporter.management.server.commands import OPENVPN_2_6, CommandError, atoi
from exporter.management.server.history import Switch, history_actions, history_reply
from exporter.management.server.replies import encode_lines, error, success
from exporter.simulator.daemon.daemon import Daemon, Unsupported
from exporter.simulator.daemon.status import BadFormat

Words = Sequence[str]
"""A command with its parameters, the name first."""


def execute(daemon: Daemon, words: Words) -> bytes:
    """Carry out a command of OpenVPN 2.6; return its reply."""
    try:
        OPENVPN_2_6.check(words)
        return _COMMANDS.get(words[0], _not_simulated)(daemon, words)
    except CommandError as refused:
        return error(str(refused))
    except Unsupported:
        return error(f"The '{words[0]}' command is not supported by the current daemon mode")


def _help(daemon: Daemon, words: Words) -> bytes:
    return encode_lines((*OPENVPN_2_6.help(daemon.settings.release.title), "END"))


def _version(daemon: Daemon, words: Words) -> bytes:
    _refuse_parameters(words)
    release = daemon.settings.release
    return encode_lines(
        (
            f"OpenVPN Version: {release.title}",
            f"Management Version: {release.management_version}",
            "END",
        )
    )


def _pid(daemon: Daemon, words: Words) -> bytes:
    return success(f"pid={daemon.settings.pid}")


def _status(daemon: Daemon, words: Words) -> bytes:
    try:
        return encode_lines(daemon.status(atoi(words[1]) if len(words) > 1 else 0))
    except BadFormat:
        raise CommandError("bad status format version number") from None


def _load_stats(daemon: Daemon, words: Words) -> bytes:
    stats = daemon.load_stats()
    return success(f"nclients={stats.clients},bytesin={stats.received},bytesout={stats.sent}")


def _verb(daemon: Daemon, words: Words) -> bytes:
    _refuse_parameters(words)
    return success(f"verb={daemon.log_buffer.verb}")


def _hold(daemon: Daemon, words: Words) -> bytes:
    _refuse_parameters(words)
    return success(f"hold={int(daemon.settings.hold)}")


def _bytecount(daemon: Daemon, words: Words) -> bytes:
    if atoi(words[1]) > 0:
        raise CommandError("bytecount is not simulated")
    return success("bytecount interval changed")


def _state(daemon: Daemon, words: Words) -> bytes:
    replies = []
    for action in history_actions(words):
        if isinstance(action, Switch):
            daemon.realtime_flags.state = action.on
        replies.append(history_reply("state", action, _encode(daemon.states)))
    return b"".join(replies)


def _log(daemon: Daemon, words: Words) -> bytes:
    replies = []
    for action in history_actions(words):
        if isinstance(action, Switch):
            daemon.realtime_flags.log = action.on
        replies.append(history_reply("log", action, _encode(daemon.log_buffer.lines)))
    return b"".join(replies)


def _encode(lines: Iterable[str]) -> list[bytes]:
    return [line.encode("utf-8", "surrogateescape") for line in lines]


def _not_simulated(daemon: Daemon, words: Words) -> bytes:
    raise CommandError(f"'{words[0]}' is not simulated")


def _refuse_parameters(words: Words) -> None:
    """Refuse a command that would change a setting."""
    if len(words) > 1:
        raise CommandError(f"'{words[0]}' with a parameter is not simulated")


_COMMANDS: dict[str, Callable[[Daemon, Words], bytes]] = {
    "help": _help,
    "version": _version,
    "pid": _pid,
    "state": _state,
    "status": _status,
    "load-stats": _load_stats,
    "log": _log,
    "verb": _verb,
    "hold": _hold,
    "bytecount": _bytecount,
}
