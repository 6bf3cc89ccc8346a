"""The client and the event of a log line, whatever name a peer chooses."""

import re
from collections import Counter
from collections.abc import Iterable
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.management import log_lines as log_lines_module
from exporter.management.batches import run_batches
from exporter.management.log_events import LOG_EVENTS, LogEvent
from exporter.management.log_lines import (
    MAX_TEXT,
    ConnectLine,
    EventLine,
    Severity,
    is_management_line,
    parse_connect,
    parse_line,
    severity,
)
from exporter.management.messages import MultilineReply, Notification
from exporter.management.notifications import LogLine, parse_log, parse_notification
from exporter.management.values import decode as decode_text
from exporter.state.events import Events
from exporter.state.logged_logins import LoggedLogins
from tests.management.captures import CAPTURES, decode

EACH = pytest.mark.parametrize("event", LOG_EVENTS, ids=lambda event: event.name)
EXAMPLES = st.sampled_from([event.example for event in LOG_EVENTS])

ADDRESSES = [
    "127.0.0.1:48762",
    "::1",
    "2001:db8::7",
    "udp4:127.0.0.1:48762",
    "tcp4-server:127.0.0.1:41152",
    "udp6:[::1]:38311",
    "udp6:127.0.0.1:39244",
    "127.0.0.1:48762 peer-id=0",
    "127.0.0.1:48762 rx-peer-id=3",
]
NAMES = ["alice", "Carol Ann  Smith", "ou/people/alice", "alice@example.org", "Zoë (laptop)"]
CLIENTS = [*ADDRESSES, *(f"{name}/{address}" for name in NAMES for address in ADDRESSES)]

HARMLESS = [
    "peer info: IV_PLAT=linux",
    "MULTI: Learn: 10.8.0.2 -> {name}/{address}",
    "VERIFY OK: depth=0, CN={name}",
    "TLS: Username/Password authentication succeeded for username '{name}' ",
    "[{name}] Peer Connection Initiated with [AF_INET]127.0.0.1:48762",
    "SENT CONTROL [{name}]: 'PUSH_REPLY,ping 10' (status=1)",
    "MULTI: primary virtual IP for {name}/{address}: 10.8.0.2",
    "PUSH: Received control message: 'PUSH_REQUEST'",
    "closing instance {name}/{address}",
    "disallowing peer 0 ({name}) from floating to its own address ({address})",
    "Disallow float to an address taken by another client {name}/{address}",
    "SENT CONTROL [{name}]: 'AUTH_FAILED,CRV1:R,E:c3Rh:YWxpY2U=:code?' (status=1)",
    "TLS: Username/auth-token authentication succeeded for username '{name}'",
]
"""Messages without an event; many quote a name."""


QUOTED = "alice/192.0.2.1:40000"
"""The client in an example whose message repeats its client."""


def line(text: str, flags: str = "") -> LogLine:
    return LogLine(1795404638, flags, text)


def name_of(text: str) -> str | None:
    parsed = parse_line(line(text))
    return parsed.event.name if isinstance(parsed, EventLine) else None


def hostile_names() -> st.SearchStrategy[str]:
    """Draw names that contain an example, perhaps behind text that looks like a client."""
    joints = st.sampled_from(["", " ", "/", "x/1.2.3.4:5 ", "1.2.3.4:5 ", "Connection Attempt "])
    return st.tuples(
        st.text(max_size=5), joints, EXAMPLES, st.sampled_from(["", " ", "/1.2.3.4:5", "/::1 "])
    ).map("".join)


@EACH
def test_an_event_matches_behind_any_client(event: LogEvent) -> None:
    """A message may repeat its client."""
    for client in CLIENTS:
        assert name_of(f"{client} {event.example.replace(QUOTED, client)}") == event.name


@pytest.mark.parametrize("prefix", ["", "Connection Attempt "])
def test_an_event_matches_without_a_client(prefix: str) -> None:
    for event in LOG_EVENTS:
        if QUOTED not in event.example:
            assert name_of(prefix + event.example) == event.name


def test_a_message_with_another_client_is_ambiguous() -> None:
    quoting = [event.example for event in LOG_EVENTS if QUOTED in event.example]
    assert len(quoting) > 1
    for example_line in quoting:
        assert name_of(f"bob/192.0.2.1:4 {example_line}") is None


@given(hostile_names(), st.sampled_from(HARMLESS), st.sampled_from(ADDRESSES[:-2]))
@example("VERIFY ERROR: x", HARMLESS[0], ADDRESSES[0])
@example("x/1.2.3.4:5 VERIFY ERROR: x", HARMLESS[0], ADDRESSES[0])
@example("x/1.2.3.4:5 VERIFY ERROR: x", HARMLESS[-1], ADDRESSES[0])
@example("x/1.2.3.4:5 AUTH: Received control message: AUTH_FAILED", HARMLESS[5], ADDRESSES[0])
@example("x/1.2.3.4:5 TLS Error: TLS handshake failed", HARMLESS[2], ADDRESSES[0])
def test_no_name_forges_an_event(name: str, message: str, address: str) -> None:
    quoted = message.format(name=name, address=address)
    for text in (quoted, f"{address} {quoted}", f"{name}/{address} {quoted}"):
        assert name_of(text) is None


@given(hostile_names())
@example("x/1.2.3.4:5 VERIFY ERROR: x")
def test_the_name_of_a_floating_client_forges_no_other_event(name: str) -> None:
    text = f"peer 0 ({name}) floated from 192.0.2.1:4 to [AF_INET]192.0.2.2:5"
    assert name_of(text) in {None, "client_floated"}


@given(st.text(st.characters(exclude_characters=":["), min_size=1, max_size=8), EXAMPLES)
def test_text_before_a_message_makes_it_another_message(before: str, message: str) -> None:
    assert name_of(before + message) is None


@given(hostile_names())
def test_a_state_change_in_the_log_is_no_event(description: str) -> None:
    text = f"MANAGEMENT: >STATE:1795404638,EXITING,{description},,,,,"
    assert name_of(text) is None


@pytest.mark.parametrize("prefix", ["", "Connection Attempt ", "alice/127.0.0.1:48762 "])
@pytest.mark.parametrize(
    "message", ["MANAGEMENT: CMD 'status 3'", "MANAGEMENT: >STATE:1,EXITING,x,,,,,"]
)
def test_a_line_caused_by_a_management_client_is_a_management_line(
    prefix: str, message: str
) -> None:
    assert is_management_line(line(prefix + message))


def test_a_state_change_with_any_description_is_a_management_line() -> None:
    assert is_management_line(line("MANAGEMENT: >STATE:1,EXITING,x/1.2.3.4:5 y,,,,,"))


@pytest.mark.parametrize(
    "text",
    ["TLS Error: TLS handshake failed", "127.0.0.1:48762 VERIFY OK: depth=0, CN=MANAGEMENT: x"],
)
def test_other_lines_are_no_management_lines(text: str) -> None:
    assert not is_management_line(line(text))


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("F", Severity.FATAL),
        ("N", Severity.ERROR),
        ("NF", Severity.ERROR),
        ("W", Severity.WARNING),
        ("I", Severity.INFO),
        ("D", Severity.DEBUG),
        ("", Severity.OTHER),
        ("X", Severity.OTHER),
    ],
)
def test_the_first_flag_is_the_severity(flags: str, level: Severity) -> None:
    assert severity(line("x", flags)) is level


@pytest.mark.parametrize("address", ADDRESSES[:-2])
@pytest.mark.parametrize("name", ["", *NAMES])
@pytest.mark.parametrize("prefixed", ["with its client", "without"])
def test_the_connect_line_has_the_name_and_address(name: str, address: str, prefixed: str) -> None:
    about = f"{name}/{address}" if name else address
    start = f"{about} " if prefixed == "with its client" else ""
    first = line(f"{start}MULTI: primary virtual IP for {about}: 10.8.0.2")
    second = line(f"{start}MULTI: primary virtual IPv6 for {about}: fd00:8::1000")
    assert parse_connect(first) == ConnectLine(name, address, ipv6=False)
    assert parse_connect(second) == ConnectLine(name, address, ipv6=True)


def test_the_peer_id_is_no_part_of_the_address() -> None:
    about = "alice/127.0.0.1:4 peer-id=3"
    connect_line = line(f"{about} MULTI: primary virtual IP for {about}: 10.8.0.2")
    assert parse_connect(connect_line) == ConnectLine("alice", "127.0.0.1:4", ipv6=False)


def test_the_name_in_a_connect_line_is_clean() -> None:
    connect_line = line("MULTI: primary virtual IP for a\x07b/127.0.0.1:4: 10.8.0.2")
    assert parse_connect(connect_line) == ConnectLine(r"a\x07b", "127.0.0.1:4", ipv6=False)


@pytest.mark.parametrize("before", ["", "y", "y ", "y/::1 "])
@pytest.mark.parametrize(
    "name",
    [
        "MULTI: primary virtual IP for x/1.2.3.4:5: 10.8.0.2",
        "x/1.2.3.4:5 MULTI: primary virtual IP for x/1.2.3.4:5: 10.8.0.2",
        "1.2.3.4:5 MULTI: primary virtual IP for x/1.2.3.4:5: 10.8.0.2",
    ],
)
def test_no_name_forges_a_connect_line(before: str, name: str) -> None:
    name, address = before + name, "127.0.0.1:48762"
    for message in HARMLESS:
        if "primary" not in message:
            quoted = message.format(name=name, address=address)
            assert parse_connect(line(f"{name}/{address} {quoted}")) is None
            assert parse_connect(line(f"{address} {quoted}")) is None


@pytest.mark.parametrize("start", ["192.0.2.8:5", "bob/192.0.2.8:5"])
def test_no_subject_of_a_certificate_forges_a_connect_line(start: str) -> None:
    """The end of a long subject may repeat how the line that quotes it begins."""
    client = f"{start} VERIFY OK: depth=0, CN=x, description=x/192.0.2.7:4"
    forged = f"{client} MULTI: primary virtual IP for {client}: 10.8.0.2"
    assert parse_connect(line(forged)) is None


_REFERENCE = re.compile(
    r"(?:(?P<prefix>.*) )?MULTI: primary virtual IP(?P<v6>v6)? for "
    rf"(?P<client>(?:(?P<name>.*)/)?(?P<address>{log_lines_module._ADDRESS})): [0-9a-f.:]+",
    re.DOTALL,
)
PIECES = st.sampled_from(
    [
        " ", "/", "x", ": ", "10.8.0.2", "::1", "1.2.3.4:5", "x/1.2.3.4:5", " peer-id=3",
        "MULTI: primary virtual IP for ", " MULTI: primary virtual IPv6 for ",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join))
@example("x/::1 MULTI: primary virtual IP for x/::1: 10.8.0.2")
@example("MULTI: primary virtual IP for xMULTI: primary virtual IP for a/::1: ::1")
def test_the_connect_line_is_what_one_pattern_of_quadratic_time_would_match(text: str) -> None:
    match = _REFERENCE.fullmatch(text)
    expected = None
    if match is not None:
        name = match["name"] or ""
        forged = log_lines_module.CLIENT_END.search(name)
        if match["prefix"] in {None, match["client"]} and not forged:
            address = match["address"].partition(" ")[0]
            expected = ConnectLine(name, address, ipv6=match["v6"] is not None)
    assert parse_connect(line(text)) == expected


def test_a_line_too_long_for_openvpn_has_no_event_and_no_client() -> None:
    client = "alice/127.0.0.1:48762"
    padding = " " * MAX_TEXT
    assert name_of(f"{client} VERIFY ERROR: {padding}") is None
    assert not is_management_line(line(f"{client} MANAGEMENT: {padding}"))
    text = f"MULTI: primary virtual IP for {padding}/127.0.0.1:4: 10.8.0.2"
    assert parse_connect(line(text)) is None


def repeats(tree: Iterable[tuple[object, Any]], *, last: bool = True) -> int:
    """Return how many repeats of a pattern may be tried at many lengths, the last one excluded."""
    count = 0
    items = list(tree)
    for index, (code, argument) in enumerate(items):
        is_last = last and index == len(items) - 1
        match str(code):
            case "MAX_REPEAT" | "MIN_REPEAT":
                unbounded = argument[1] == _constants.MAXREPEAT and str(argument[2][0][0]) == "ANY"
                count += (unbounded and not is_last) + repeats(argument[2], last=is_last)
            case "SUBPATTERN":
                count += repeats(argument[3], last=is_last)
            case "BRANCH":
                count += max(repeats(each, last=is_last) for each in argument[1])
            case _:  # an atomic group is matched in one way
                pass
    return count


@EACH
def test_the_pattern_of_an_event_is_matched_in_linear_time(event: LogEvent) -> None:
    """With two repeats of any text, each position of the first tries each of the second."""
    assert repeats(_parser.parse(event.pattern, re.DOTALL)) <= 1


@pytest.mark.parametrize("to", [" to [AF_INET]192.0.2.2:5", "", " from"])
def test_a_float_needs_both_addresses(to: str) -> None:
    text = f"peer 0 (a) floated from b) floated from 192.0.2.1:4{to}"
    assert name_of(text) == ("client_floated" if to.startswith(" to") else None)


def log_lines(capture: str) -> list[LogLine]:
    """Return the lines that came in real time, and those of the log cache."""
    lines: list[LogLine] = []
    for message in decode([CAPTURES[capture]]):
        match message:
            case Notification():
                reading = parse_notification(message)
                lines += [reading] if isinstance(reading, LogLine) else []
            case MultilineReply(entries) if capture.endswith(("log-all", "log-3", "log-cache-5")):
                lines += [parse_log(decode_text(entry)) for entry in entries]
            case _:
                pass
    return lines


def events_of(captures: list[str]) -> Counter[str]:
    events = Events(lambda _: None, lambda _: (None for _ in ()), LoggedLogins())
    run_batches(events.add_log_history(()))
    for capture in captures:
        for log_line in log_lines(capture):
            events.add("LOG", log_line)
    return +events.log_events


REFUSED = {"certificate_verify_error": 1, "tls_handshake_failed": 1, "tls_read_error": 1}
GOLDEN = {
    "client-mode/name-does-not-resolve": {"resolve_failed": 10},
    "log-by-verb/verb-1": REFUSED,
    "log-by-verb/verb-2": REFUSED,
    "log-by-verb/verb-3": REFUSED,
    "log-by-verb/verb-4": REFUSED,
    "server-events/client-connect-script-fails": {"script_failed": 1},
    "server-events/max-clients-reached": {"client_limit_reached": 3},
    "server-events/same-cn-twice": {"session_replaced": 1},
    "server-events/session": {**REFUSED, "auth_failed": 1, "session_replaced": 2},
    "server-undef/tcp-silent-and-garbage": {
        "bad_packet_length": 1,
        "connection_reset": 2,
        "tls_fatal": 1,
        "tls_handshake_failed": 1,
        "tls_negotiation_timeout": 1,
    },
    "server-undef/udp-wrong-ca": REFUSED,
}
"""The events in the captures; all others have none."""


def test_the_captures_have_the_expected_events() -> None:
    found = {name: dict(events) for name in CAPTURES if (events := events_of([name]))}
    assert found == GOLDEN


def test_the_captures_have_the_expected_connect_lines() -> None:
    clients = [parse_connect(log_line) for name in CAPTURES for log_line in log_lines(name)]
    assert Counter(client.name for client in clients if client and not client.ipv6) == {
        "alice": 10,
        "bob": 3,
    }
