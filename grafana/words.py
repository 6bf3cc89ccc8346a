"""The words and colours of what is a number to Prometheus: one table for each vocabulary."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from grafana_foundation_sdk.models import dashboard

from exporter.management.errors import DownReason
from exporter.management.prompts import PROMPT_KINDS
from exporter.management.state import StateName
from grafana.queries import folded, highest

GREEN = "green"
BLUE = "blue"
PURPLE = "purple"
YELLOW = "yellow"
ORANGE = "orange"
RED = "red"
GREY = "#808080"


class Word(NamedTuple):
    """What a number is shown as; the colour only underlines it."""

    number: int
    text: str
    colour: str


DOWN = Word(0, "DOWN", RED)

STATES = (
    Word(1, StateName.UNKNOWN, GREY),
    Word(2, StateName.EXITING, ORANGE),
    Word(3, StateName.RECONNECTING, ORANGE),
    Word(4, StateName.AUTH_PENDING, PURPLE),
    Word(5, StateName.INITIAL, BLUE),
    Word(6, StateName.RESOLVE, BLUE),
    Word(7, StateName.TCP_CONNECT, BLUE),
    Word(8, StateName.CONNECTING, BLUE),
    Word(9, StateName.WAIT, BLUE),
    Word(10, StateName.AUTH, BLUE),
    Word(11, StateName.GET_CONFIG, BLUE),
    Word(12, StateName.ASSIGN_IP, BLUE),
    Word(13, StateName.ADD_ROUTES, BLUE),
    Word(14, StateName.CONNECTED, GREEN),
)
"""The states of a daemon that is up, the worse the lower: sorted by number, trouble comes first."""

REASONS = (
    Word(0, "works", GREEN),
    Word(1, DownReason.REFUSED, RED),
    Word(2, DownReason.NOT_FOUND, RED),
    Word(3, DownReason.UNREACHABLE, RED),
    Word(4, DownReason.PERMISSION, RED),
    Word(5, DownReason.AUTH, RED),
    Word(6, DownReason.BUSY, ORANGE),
    Word(7, DownReason.TIMEOUT, ORANGE),
    Word(8, DownReason.PROTOCOL, ORANGE),
    Word(9, DownReason.CLOSED, ORANGE),
    Word(10, DownReason.HOLD, PURPLE),
    Word(11, DownReason.PROMPT, PURPLE),
    Word(12, DownReason.CLIENT_AUTH, PURPLE),
    Word(13, DownReason.STALE, ORANGE),
)
"""Why a management session doesn't work; purple waits for a person or a program."""

PROMPTS = (
    Word(0, "nothing", GREEN),
    *(Word(number, kind, ORANGE) for number, kind in enumerate(PROMPT_KINDS, start=1)),
)
"""What a daemon can wait to be told."""

PRESENCE = (Word(0, "AWAY", GREY), Word(1, "CONNECTED", GREEN), Word(2, "SEVERAL SESSIONS", BLUE))
EXPECTED = (Word(0, "MISSING", RED), Word(1, "CONNECTED", GREEN))
UP = (Word(0, "DOWN", RED), Word(1, "UP", GREEN))
WAITING = (Word(0, "no", GREEN), Word(1, "WAITING", ORANGE))
ACCEPTED = (Word(0, "REFUSED", RED), Word(1, "accepted", GREEN))
SWITCHED = (Word(0, "off", GREY), Word(1, "on", BLUE))
RESTARTING = (Word(0, "no", GREEN), Word(1, "RESTARTS", ORANGE))
NONE_OF_THEM = (Word(0, "none", GREEN),)


def mapping(words: Iterable[Word]) -> dashboard.ValueMap:
    """Return a vocabulary as Grafana takes it."""
    return dashboard.ValueMap(
        {
            str(word.number): dashboard.ValueMappingResult(
                text=word.text, color=word.colour, index=index
            )
            for index, word in enumerate(words)
        }
    )


def state(select: Callable[..., str]) -> str:
    """Return the number of each daemon's state, 0 while it is down and has none."""
    states = {word.number: select("openvpn_state", f'state="{word.text}"') for word in STATES}
    down = highest(f"{select('openvpn_up')} == 0", "job", "instance", "daemon")
    return f"{folded(states)} or {down}"


def reason(select: Callable[..., str]) -> str:
    """Return the number of the reason why each daemon's management session doesn't work."""
    return _numbered(select, "openvpn_down_reason", label="reason", words=REASONS)


def prompt(select: Callable[..., str]) -> str:
    """Return the number of what each daemon waits to be told."""
    return _numbered(select, "openvpn_prompt_waiting", label="kind", words=PROMPTS)


def _numbered(
    select: Callable[..., str], metric: str, *, label: str, words: tuple[Word, ...]
) -> str:
    """Return the number of the label value that is 1, 0 if none is."""
    return folded(
        {word.number: select(metric, f'{label}="{word.text}"') for word in words if word.number}
    )
