"""The command table of OpenVPN 2.6: names, required parameters, and the text of `help`."""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

_ATOI = re.compile(r"[ \t]*([+-]?[0-9]+)")


class CommandError(Exception):
    """The command is refused; `str()` is the text after `ERROR: `."""


class CommandSpec(msgspec.Struct, frozen=True):
    """One command: how many parameters it requires, and its lines in `help`.

    Surplus parameters are ignored. With `more` the command takes further ones, which shows in the
    error text only.
    """

    name: str
    help: tuple[str, ...] = ()
    required: int = 0
    more: bool = False

    def check(self, words: Sequence[str]) -> None:
        """Check that the required parameters follow the name.

        Raises:
            CommandError: there are fewer.
        """
        if len(words) <= self.required:
            at_least, plural = "at least " * self.more, "s" * (self.required > 1)
            raise CommandError(
                f"the '{self.name}' command requires {at_least}{self.required} parameter{plural}"
            )


class CommandTable:
    """The commands that a server knows.

    OpenVPN 2.7 repeats an unknown command in its answer: `names_unknown`.
    """

    def __init__(self, specs: Iterable[CommandSpec], *, names_unknown: bool = False) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._names_unknown = names_unknown

    def __contains__(self, name: str) -> bool:
        return name in self._specs

    def __iter__(self) -> Iterator[CommandSpec]:
        return iter(self._specs.values())

    def check(self, words: Sequence[str]) -> None:
        """Check the name of a command and the number of its parameters.

        Raises:
            CommandError: the command is unknown, or parameters are missing.
        """
        spec = self._specs.get(words[0])
        if spec is None:
            name = f" [{words[0]}]" if self._names_unknown else ""
            raise CommandError(f"unknown command{name}, enter 'help' for more options")
        spec.check(words)

    def help(self, title: str) -> Iterator[str]:
        """Yield the lines of `help` before `END`; `title` names the release."""
        yield f"Management Interface for {title}"
        yield "Commands:"
        for spec in self:
            yield from spec.help


def atoi(text: str) -> int:
    """Read a number as C's `atoi()`: 0 if there is none; what follows the digits is ignored."""
    match = _ATOI.match(text)
    return int(match[1]) if match else 0


_HELP = """\
auth-retry t           : Auth failure retry mode (none,interact,nointeract).
bytecount n            : Show bytes in/out, update every n secs (0=off).
echo [on|off] [N|all]  : Like log, but only show messages in echo buffer.
cr-response response   : Send a challenge response answer via CR_RESPONSE to server
exit|quit              : Close management session.
forget-passwords       : Forget passwords entered so far.
help                   : Print this message.
hold [on|off|release]  : Set/show hold flag to on/off state, or
                         release current hold and start tunnel.
kill cn                : Kill the client instance(s) having common name cn.
kill IP:port           : Kill the client instance connecting from IP:port.
load-stats             : Show global server load stats.
log [on|off] [N|all]   : Turn on/off realtime log display
                         + show last N lines or 'all' for entire history.
mute [n]               : Set log mute level to n, or show level if n is absent.
needok type action     : Enter confirmation for NEED-OK request of 'type',
                         where action = 'ok' or 'cancel'.
needstr type action    : Enter confirmation for NEED-STR request of 'type',
                         where action is reply string.
net                    : (Windows only) Show network info and routing table.
password type p        : Enter password p for a queried OpenVPN password.
remote type [host port] : Override remote directive, type=ACCEPT|MOD|SKIP.
remote-entry-count     : Get number of available remote entries.
remote-entry-get  i|all [j]: Get remote entry at index = i to to j-1 or all.
proxy type [host port flags] : Enter dynamic proxy server info.
pid                    : Show process ID of the current OpenVPN process.
pkcs11-id-count        : Get number of available PKCS#11 identities.
pkcs11-id-get index    : Get PKCS#11 identity at index.
client-auth CID KID    : Authenticate client-id/key-id CID/KID (MULTILINE)
client-auth-nt CID KID : Authenticate client-id/key-id CID/KID
client-deny CID KID R [CR] : Deny auth client-id/key-id CID/KID with log reason
                             text R and optional client reason text CR
client-pending-auth CID KID MSG timeout : Instruct OpenVPN to send AUTH_PENDING and INFO_PRE msg
                                      to the client and wait for a final client-auth/client-deny
client-kill CID [M]    : Kill client instance CID with message M (def=RESTART)
env-filter [level]     : Set env-var filter level
rsa-sig                : Enter a signature in response to >RSA_SIGN challenge
                         Enter signature base64 on subsequent lines followed by END
pk-sig                 : Enter a signature in response to >PK_SIGN challenge
                         Enter signature base64 on subsequent lines followed by END
certificate            : Enter a client certificate in response to >NEED-CERT challenge
                         Enter certificate base64 on subsequent lines followed by END
signal s               : Send signal s to daemon,
                         s = SIGHUP|SIGTERM|SIGUSR1|SIGUSR2.
state [on|off] [N|all] : Like log, but show state history.
status [n]             : Show current daemon status info using format #n.
test n                 : Produce n lines of output for testing/debugging.
username type u        : Enter username u for a queried OpenVPN username.
verb [n]               : Set log verbosity level to n, or show if n is absent.
version [n]            : Set client's version to n or show current version of daemon.
"""
_NO_HELP = ("nclients",)
_REQUIRED = {
    "bytecount": 1,
    "cr-response": 1,
    "kill": 1,
    "needok": 2,
    "needstr": 2,
    "password": 2,
    "pkcs11-id-get": 1,
    "client-auth": 2,
    "client-auth-nt": 2,
    "client-pending-auth": 4,
    "signal": 1,
    "test": 1,
    "username": 2,
}
_REQUIRED_AND_MORE = {
    "client-deny": 3,
    "client-kill": 1,
    "echo": 1,
    "log": 1,
    "proxy": 1,
    "remote": 1,
    "remote-entry-get": 1,
}


def _openvpn_2_6() -> Iterator[CommandSpec]:
    help_: dict[str, list[str]] = {name: [] for name in _NO_HELP}
    lines: list[str] = []
    for line in _HELP.splitlines():
        if not line.startswith(" "):  # else it continues the line before
            first, *others = line.split()[0].split("|")
            lines = help_.setdefault(first, [])
            help_ |= {name: [] for name in others}
        lines.append(line)
    for name, text in help_.items():
        more = name in _REQUIRED_AND_MORE
        required = _REQUIRED_AND_MORE[name] if more else _REQUIRED.get(name, 0)
        yield CommandSpec(name, tuple(text), required, more)


OPENVPN_2_6 = CommandTable(_openvpn_2_6())
"""All commands of OpenVPN 2.6."""

KNOWN_COMMANDS = frozenset(
    {
        *(spec.name for spec in OPENVPN_2_6),
        *("http-proxy-fallback", "http-proxy-fallback-disable"),  # 2.1 and 2.2
        "client-pf",  # 2.1 to 2.5
        "network-change",  # 2.4 and later, on Android
        *("push-update-broad", "push-update-cid"),  # 2.7 and later
    }
)
"""The names of all commands of OpenVPN 2.1 to the development version of 2.8."""
