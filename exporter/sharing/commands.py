"""The commands that are served to tools, and their replies.

Each is answered in the daemon's words. What would change the daemon is refused here: no text of a
tool is ever sent to it.
"""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet

from exporter.config.share import ShareConfig, SharedEvent
from exporter.management.commands import Command
from exporter.management.messages import ErrorReply, MultilineReply
from exporter.management.server.commands import (
    KNOWN_COMMANDS,
    CommandError,
    CommandSpec,
    CommandTable,
    atoi,
)
from exporter.management.server.history import (
    HistoryAction,
    Show,
    Switch,
    history_actions,
    history_reply,
)
from exporter.management.server.replies import encode_lines
from exporter.monitor.reply_cache import COMMA, TAB, CachedReply, Encoded
from exporter.monitor.shared_session import SharedSession

SERVED = CommandTable(
    (
        CommandSpec("exit", ("exit|quit              : Close management session.",)),
        CommandSpec("quit"),
        CommandSpec("help", ("help                   : Print this message.",)),
        CommandSpec("hold", ("hold                   : Show the hold flag.",)),
        CommandSpec("load-stats", ("load-stats             : Show global server load stats.",)),
        CommandSpec(
            "log",
            (
                "log [on|off] [N|all]   : Turn on/off realtime log display",
                "                         + show last N lines or 'all' for entire history.",
            ),
            required=1,
            more=True,
        ),
        CommandSpec(
            "pid",
            ("pid                    : Show process ID of the current OpenVPN process.",),
        ),
        CommandSpec("state", ("state [on|off] [N|all] : Like log, but show state history.",)),
        CommandSpec(
            "status",
            ("status [n]             : Show current daemon status info using format #n.",),
        ),
        CommandSpec("verb", ("verb                   : Show the log verbosity level.",)),
        CommandSpec("version", ("version                : Show current version of daemon.",)),
    )
)
"""The texts of `help` are OpenVPN's, where the command is the same."""

_KEYWORDS = {SharedEvent.STATE: "STATE", SharedEvent.LOG: "LOG"}
"""Keywords of real-time messages."""

_WITHOUT_PARAMETERS = {
    "hold": Command.HOLD,
    "load-stats": Command.LOAD_STATS,
    "pid": Command.PID,
    "verb": Command.VERB,
    "version": Command.VERSION,
}
_CHANGED_BY_PARAMETERS = frozenset({"hold", "verb", "version"})
_REPEATS_UNKNOWN = (2, 7)
"""The first version that repeats an unknown command in its answer."""

_STATISTICS = b"OpenVPN STATISTICS"
_STATUS_VERSIONS = {1: Command.STATUS_1, 2: Command.STATUS_3, 3: Command.STATUS_3}
_DEFAULT_STATUS_VERSION = 1
_VERSION_LINE = b"OpenVPN Version: "


class NotAnswered(Exception):
    """The daemon gives no reply, or not in time: the session of the tool ends."""


class ToolCommands:
    """Answers the commands of one tool."""

    def __init__(self, shared: SharedSession, config: Callable[[], ShareConfig]) -> None:
        """`config` returns the configuration of the daemon's share as it is now."""
        self.forwarded = False
        """Whether a command was sent to the daemon for the last reply."""
        self._shared = shared
        self._config = config
        self._switched_on: set[SharedEvent] = set()
        self._handlers: dict[str, Callable[[Sequence[str]], Awaitable[Encoded]]] = {
            "help": self._help,
            "status": self._status,
            "state": self._state,
            "log": self._log,
        }

    @property
    def realtime(self) -> AbstractSet[str]:
        """Keywords of the messages that the tool has switched on, and that are still shared."""
        return {_KEYWORDS[event] for event in self._switched_on.intersection(self._config().events)}

    async def reply(self, words: Sequence[str]) -> Encoded:
        """Return the whole reply to a command, the name of which is the first word.

        Raises:
            CommandError: the command is refused.
            NotAnswered: the daemon gives no reply.
        """
        self.forwarded = False
        self._check(words)
        handler = self._handlers.get(words[0])
        if handler is not None:
            return await handler(words)
        return await (await self._fetch(_WITHOUT_PARAMETERS[words[0]])).encode()

    def _check(self, words: Sequence[str]) -> None:
        name = words[0]
        if name in SERVED:
            SERVED.check(words)
            if name in _CHANGED_BY_PARAMETERS and len(words) > 1:
                text = f"read-only: '{name}' with a parameter is not allowed here"
                raise CommandError(text)
        elif name in KNOWN_COMMANDS:
            raise CommandError(f"read-only: '{name}' is not allowed here")
        else:
            CommandTable((), names_unknown=self._repeats_unknown()).check(words)

    def _repeats_unknown(self) -> bool:
        version = self._shared.facts.version if self._shared.facts else None
        numbers = version.version.split(".") if version else []
        return [atoi(number) for number in numbers[:2]] >= list(_REPEATS_UNKNOWN)

    async def _fetch(self, command: Command) -> CachedReply:
        fetched = await self._shared.fetch(command)
        if fetched is None:
            raise NotAnswered
        self.forwarded = self.forwarded or fetched.forwarded
        return fetched.cached

    async def _help(self, _: Sequence[str]) -> bytes:
        lines = (await self._fetch(Command.VERSION)).entries
        title = lines[0].removeprefix(_VERSION_LINE) if lines else b"OpenVPN"
        return encode_lines((*SERVED.help(title.decode("utf-8", "surrogateescape")), "END"))

    async def _status(self, words: Sequence[str]) -> Encoded:
        """Return a status; 2 is 3 with commas, and a tunnel's has one format for all numbers."""
        version = (atoi(words[1]) if len(words) > 1 else 0) or _DEFAULT_STATUS_VERSION
        command = _STATUS_VERSIONS.get(version, Command.STATUS_3)
        cached = await self._fetch(command)
        if version not in _STATUS_VERSIONS and not (
            isinstance(cached.reply, ErrorReply) or cached.entries[:1] == (_STATISTICS,)
        ):
            raise CommandError("bad status format version number")
        return await cached.encode(COMMA if version == 2 else TAB)  # noqa: PLR2004

    async def _state(self, words: Sequence[str]) -> bytes:
        return await self._history(words, SharedEvent.STATE)

    async def _log(self, words: Sequence[str]) -> bytes:
        if SharedEvent.LOG not in self._config().events and words[1:2] != ["off"]:
            raise CommandError("log lines are not shared: add 'log' to 'share.events'")
        return await self._history(words, SharedEvent.LOG)

    async def _history(self, words: Sequence[str], event: SharedEvent) -> bytes:
        """Return the reply to `state` or `log`: a switch, entries, or one after the other."""
        actions = tuple(history_actions(words))
        for action in actions:
            if action == Switch(on=True):
                self._check_realtime(event)
        entries: Sequence[bytes] = ()
        if any(isinstance(action, Show) for action in actions):
            entries = await self._entries(self._history_command(event, actions))
        # From here on without a pause: no entry comes twice, and none is lost.
        self._shared.flush()
        replies = []
        for action in actions:
            if isinstance(action, Switch):
                (self._switched_on.add if action.on else self._switched_on.discard)(event)
            replies.append(history_reply(words[0], action, entries))
        return b"".join(replies)

    def _history_command(self, event: SharedEvent, actions: Sequence[HistoryAction]) -> Command:
        if event is SharedEvent.LOG:
            return Command.LOG_ALL
        newest = all(not isinstance(action, Show) or action.count == 1 for action in actions)
        return (
            Command.STATE
            if newest and not self._shared.has(Command.STATE_ALL)
            else Command.STATE_ALL
        )

    async def _entries(self, command: Command) -> Sequence[bytes]:
        cached = await self._fetch(command)
        if not isinstance(cached.reply, MultilineReply):
            raise NotAnswered
        return cached.entries

    def _check_realtime(self, event: SharedEvent) -> None:
        if event not in self._config().events:
            text = f"real-time {event} lines are not shared: add '{event}' to 'share.events'"
            raise CommandError(text)
        if self._shared.facts is None or _KEYWORDS[event] not in self._shared.facts.realtime:
            text = f"the exporter has no real-time {event} lines of this daemon"
            raise CommandError(text)
