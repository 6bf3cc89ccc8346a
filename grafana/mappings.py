"""Value mappings: the text and colour that Grafana shows for a number, one table per metric."""

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.models import dashboard

from exporter.management.errors import DownReason
from exporter.management.prompts import PROMPT_KINDS
from exporter.management.state import StateName
from grafana.queries import DAEMON_LABELS, Selector, highest, state_number

GREEN = "green"
BLUE = "blue"
PURPLE = "purple"
YELLOW = "yellow"
ORANGE = "orange"
RED = "red"
GREY = "#808080"


class MappedValue(NamedTuple):
    """The text and colour that are shown for a value; the text alone is sufficient."""

    value: int
    text: str
    colour: str


DOWN = MappedValue(0, "DOWN", RED)

STATES = (
    MappedValue(1, StateName.UNKNOWN, GREY),
    MappedValue(2, StateName.EXITING, ORANGE),
    MappedValue(3, StateName.RECONNECTING, ORANGE),
    MappedValue(4, StateName.AUTH_PENDING, PURPLE),
    MappedValue(5, StateName.INITIAL, BLUE),
    MappedValue(6, StateName.RESOLVE, BLUE),
    MappedValue(7, StateName.TCP_CONNECT, BLUE),
    MappedValue(8, StateName.CONNECTING, BLUE),
    MappedValue(9, StateName.WAIT, BLUE),
    MappedValue(10, StateName.AUTH, BLUE),
    MappedValue(11, StateName.GET_CONFIG, BLUE),
    MappedValue(12, StateName.ASSIGN_IP, BLUE),
    MappedValue(13, StateName.ADD_ROUTES, BLUE),
    MappedValue(14, StateName.CONNECTED, GREEN),
)
"""The states of a daemon that is up. Worse states have lower values, so they are sorted first."""

REASONS = (
    MappedValue(0, "up", GREEN),
    MappedValue(1, DownReason.REFUSED, RED),
    MappedValue(2, DownReason.NOT_FOUND, RED),
    MappedValue(3, DownReason.UNREACHABLE, RED),
    MappedValue(4, DownReason.PERMISSION, RED),
    MappedValue(5, DownReason.AUTH, RED),
    MappedValue(6, DownReason.BUSY, ORANGE),
    MappedValue(7, DownReason.TIMEOUT, ORANGE),
    MappedValue(8, DownReason.PROTOCOL, ORANGE),
    MappedValue(9, DownReason.CLOSED, ORANGE),
    MappedValue(10, DownReason.HOLD, PURPLE),
    MappedValue(11, DownReason.PROMPT, PURPLE),
    MappedValue(12, DownReason.CLIENT_AUTH, PURPLE),
    MappedValue(13, DownReason.STALE, ORANGE),
)
"""The reasons why a management session is down; purple: the daemon waits for an answer."""

PROMPTS = (
    MappedValue(0, "none", GREEN),
    *(MappedValue(number, kind, ORANGE) for number, kind in enumerate(PROMPT_KINDS, start=1)),
)
"""The kinds of prompts."""

CLIENT_MISSING = 10
"""Added to the number of sessions of a client that an expected server misses."""

CLIENT_SESSIONS = (
    MappedValue(0, "NOT CONNECTED", GREY),
    MappedValue(1, "CONNECTED", GREEN),
    MappedValue(2, "SEVERAL SESSIONS", BLUE),
    MappedValue(CLIENT_MISSING, "MISSING", RED),
    MappedValue(CLIENT_MISSING + 1, "AT OTHER SERVER", ORANGE),
    MappedValue(CLIENT_MISSING + 2, "AT OTHER SERVERS", ORANGE),
)
EXPECTED_CLIENT = (MappedValue(0, "MISSING", RED), MappedValue(1, "CONNECTED", GREEN))
MISSING_CLIENT = (MappedValue(0, "MISSING", RED), MappedValue(1, "SERVER NOT UP", ORANGE))
ON_NO_SERVER = (MappedValue(0, "MISSING", RED), MappedValue(1, "UNKNOWN", ORANGE))
SEVERITIES = (
    MappedValue(1, "critical", RED),
    MappedValue(2, "warning", ORANGE),
    MappedValue(3, "info", BLUE),
)
"""The severities of the alert rules, the most urgent first."""
UP = (MappedValue(0, "DOWN", RED), MappedValue(1, "UP", GREEN))
PORT = (MappedValue(0, "NO ANSWER", RED), MappedValue(1, "ANSWERS", GREEN))
HOLD = (MappedValue(0, "no", GREEN), MappedValue(1, "WAITING", ORANGE))
RELOAD = (MappedValue(0, "FAILED", RED), MappedValue(1, "successful", GREEN))
ON_OFF = (MappedValue(0, "off", GREY), MappedValue(1, "on", BLUE))
RESTARTS_ON_DISCONNECT = (MappedValue(0, "no", GREEN), MappedValue(1, "RESTARTS", ORANGE))
NONE = (MappedValue(0, "none", GREEN),)


def value_mappings(mappings: Sequence[MappedValue]) -> list[dashboard.ValueMapping] | None:
    """Return the mappings as a field takes them."""
    if not mappings:
        return None
    return [
        dashboard.ValueMap(
            {
                str(mapped.value): dashboard.ValueMappingResult(
                    text=mapped.text, color=mapped.colour, index=index
                )
                for index, mapped in enumerate(mappings)
            }
        )
    ]


def state_value(select: Selector) -> str:
    """Return the number of each daemon's state; 0 while the daemon is down."""
    states = {mapped.value: select("openvpn_state", f'state="{mapped.text}"') for mapped in STATES}
    down = highest(f"{select('openvpn_up')} == 0", *DAEMON_LABELS)
    return f"{state_number(states)} or {down}"


def reason_value(select: Selector) -> str:
    """Return the number of the reason why each daemon's management session is down."""
    return _label_value(select, "openvpn_down_reason", label="reason", mappings=REASONS)


def prompt_value(select: Selector) -> str:
    """Return the number of the prompt that each daemon waits for."""
    return _label_value(select, "openvpn_prompt_waiting", label="kind", mappings=PROMPTS)


def _label_value(
    select: Selector, metric: str, *, label: str, mappings: tuple[MappedValue, ...]
) -> str:
    """Return the number of the label value whose series is 1; 0 if there is none."""
    return state_number(
        {
            mapped.value: select(metric, f'{label}="{mapped.text}"')
            for mapped in mappings
            if mapped.value
        }
    )
