"""Clients whose login is in the log, or their rejection, where their row proves nothing."""

import functools

import pytest
from msgspec import structs

from exporter.management.batches import run_batches
from exporter.management.errors import SessionClosed
from exporter.management.login_lines import LoginLine
from exporter.management.notifications import LogLine
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.logged_logins import LoggedLogins
from exporter.state.status_order import StatusFileContent
from tests.state.bridge import ALICE, SINCE, bridge, established, log, log_history, poll


def push_reply(at: int = SINCE + 1, client: str = "alice/192.0.2.7:4") -> LogLine:
    name = client.rpartition("/")[0]
    return LogLine(at, "", f"{client} SENT CONTROL [{name}]: 'PUSH_REPLY,ping 2' (status=1)")


NO_ADDRESS = LogLine(
    SINCE + 1,
    "N",
    "alice/192.0.2.7:4 MULTI: no dynamic or static remote --ifconfig address is available for "
    "alice/192.0.2.7:4",
)
LEARN = LogLine(
    SINCE + 9, "", "alice/192.0.2.7:4 MULTI: Learn: 9e:45:f9:23:0a:9c@0 -> alice/192.0.2.7:4"
)
AUTH_FAILED = LogLine(
    SINCE + 2, "", "alice/192.0.2.7:4 SENT CONTROL [alice]: 'AUTH_FAILED' (status=1)"
)
NO_CIPHER = LogLine(
    SINCE + 2,
    "I",
    "alice/192.0.2.7:4 PUSH: No common cipher between server and client. Server data-ciphers: 'A', "
    "client supports cipher 'B'",
)
GONE = LogLine(
    SINCE + 2,
    "",
    "alice/192.0.2.7:4 SIGUSR1[soft,remote-exit] received, client-instance restarting",
)
FORMAT_1 = structs.replace(ALICE, client_id=None)


@pytest.mark.parametrize("line", [push_reply(), NO_ADDRESS, LEARN])
@pytest.mark.parametrize("row", [ALICE, FORMAT_1])
def test_a_client_that_was_let_in_before_the_session_is_connected(
    line: LogLine, row: ClientRow
) -> None:
    daemon = bridge()
    log_history(daemon, line)
    assert poll(daemon, pending=(row,)) == (1, 0)
    assert daemon.clients.sessions.connects == 0  # it was there before the exporter
    assert poll(daemon, pending=(row,)) == (1, 0)
    assert poll(daemon) == (0, 0)
    assert daemon.clients.sessions.disconnects == 1


@pytest.mark.parametrize("row", [ALICE, FORMAT_1])
def test_a_login_in_the_log_counts_one_connect(row: ClientRow) -> None:
    """Such a client is let in once, whatever lines say so."""
    daemon = bridge()
    log_history(daemon)
    assert poll(daemon) == (0, 0)
    established(daemon)
    log(daemon, NO_ADDRESS, push_reply(), LEARN)
    assert poll(daemon, pending=(row,)) == (1, 0)
    log(daemon, push_reply(SINCE + 60))
    assert poll(daemon, pending=(row,)) == (1, 0)
    assert daemon.clients.sessions.connects == 1
    assert daemon.clients.sessions.disconnects == 0


def test_a_login_logged_after_a_status_was_received_is_none_of_that_status() -> None:
    daemon = bridge()
    log_history(daemon)
    assert poll(daemon, pending=(ALICE,), meanwhile=lambda: log(daemon, push_reply())) == (0, 1)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


@pytest.mark.parametrize("after", [AUTH_FAILED, NO_CIPHER, GONE])
def test_a_client_that_was_rejected_or_has_gone_since_is_pending(after: LogLine) -> None:
    daemon = bridge()
    log_history(daemon, NO_ADDRESS, after)
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    log(daemon, NO_ADDRESS, after)
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    log(daemon, NO_ADDRESS)
    assert poll(daemon, pending=(ALICE,), meanwhile=lambda: log(daemon, after)) == (0, 1)
    log(daemon, after, push_reply())
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


REJECTIONS = [(AUTH_FAILED,), (NO_CIPHER,), (NO_CIPHER, AUTH_FAILED, AUTH_FAILED)]


@pytest.mark.parametrize("rejected", REJECTIONS)
def test_a_client_that_the_log_rejects_is_pending_although_it_is_established(
    rejected: tuple[LogLine, ...],
) -> None:
    """Its message is that of a login if no cipher suits both sides (2.6 and later)."""
    daemon = bridge()
    log_history(daemon)
    assert poll(daemon) == (0, 0)
    log(daemon, NO_ADDRESS, *rejected)
    established(daemon)
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    log(daemon, NO_ADDRESS)
    after = functools.partial(log, daemon, *rejected)
    assert poll(daemon, pending=(ALICE,), meanwhile=after) == (0, 1)
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    later = structs.replace(ALICE, connected_since=SINCE + 60, client_id=4)
    established(daemon, client_id=4, time_unix=str(SINCE + 60))
    assert poll(daemon, pending=(later,)) == (1, 0)
    assert daemon.clients.sessions.connects == 1


@pytest.mark.parametrize("rejected", REJECTIONS)
def test_a_client_that_the_log_rejects_is_pending_although_it_has_an_address(
    rejected: tuple[LogLine, ...],
) -> None:
    """It has one before it is rejected, since 2.6, and keeps it until its row goes."""
    with_address = structs.replace(ALICE, virtual_address="10.8.0.2")
    bob = structs.replace(with_address, common_name="bob", real_address="192.0.2.7:5", client_id=4)
    daemon = bridge()
    log_history(daemon)
    log(daemon, LEARN, *rejected)
    assert poll(daemon, clients=(with_address, bob)) == (1, 1)
    assert poll(daemon, clients=(bob, with_address)) == (1, 1)
    log(daemon, GONE)
    again = structs.replace(with_address, connected_since=SINCE + 60, client_id=5)
    assert poll(daemon, clients=(bob, again)) == (2, 0)
    assert daemon.clients.sessions.disconnects == 0


def test_a_client_that_is_let_in_at_its_second_attempt_is_connected() -> None:
    daemon = bridge()
    log_history(daemon)
    log(daemon, NO_ADDRESS, NO_CIPHER, NO_ADDRESS)
    established(daemon)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


def test_a_failure_before_a_login_is_no_rejection_of_it() -> None:
    """At `verb 0`, or with `mute`, the line of the login is missing."""
    daemon = bridge()
    log_history(daemon)
    log(daemon, AUTH_FAILED)
    established(daemon)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


def test_a_rejection_is_kept_until_the_client_has_gone() -> None:
    logins = LoggedLogins()
    for number in range(1005):
        logins.add(LoginLine("alice", f"192.0.2.7:{number}", SINCE))
        logins.reject(f"192.0.2.7:{number}", SINCE)
    for number in range(1004, 3, -1):
        assert logins.has_rejected == (number > 4)
        logins.remove(f"192.0.2.7:{number}")


def test_a_renegotiation_that_fails_ends_no_session_whose_row_is_there() -> None:
    with_address = structs.replace(ALICE, virtual_address="10.8.0.2")
    daemon = bridge()
    log_history(daemon, push_reply())
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    log(daemon, LEARN, AUTH_FAILED)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert poll(daemon, clients=(with_address,)) == (1, 0)


@pytest.mark.parametrize(
    "client",
    ["bob/192.0.2.7:4", "alice/192.0.2.7:5", "192.0.2.7:4", "alice/udp4:192.0.2.7:4"],
)
def test_the_logged_login_of_another_client_proves_nothing(client: str) -> None:
    daemon = bridge()
    log_history(daemon, push_reply(client=client))
    assert poll(daemon, pending=(ALICE,)) == (0, 1)


def test_the_login_of_an_earlier_client_at_the_same_address_proves_nothing() -> None:
    daemon = bridge()
    log_history(daemon, push_reply(SINCE - 1))
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    log(daemon, push_reply(SINCE))
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


def test_a_login_without_a_row_in_the_next_status_is_forgotten() -> None:
    daemon = bridge()
    log_history(daemon, push_reply(SINCE + 60))
    assert poll(daemon) == (0, 0)
    assert poll(daemon, pending=(structs.replace(ALICE, client_id=4),)) == (0, 1)


def test_a_login_is_kept_over_a_status_with_unreadable_lines() -> None:
    daemon = bridge()
    log_history(daemon, push_reply())
    assert poll(daemon, unparsed=1) == (0, 0)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


def test_a_login_is_kept_over_a_status_file() -> None:
    """The session went down while its status was received, and the file is older."""
    daemon = bridge()
    log_history(daemon, push_reply())
    daemon.on_status_received()
    daemon.on_down(SessionClosed("closed"))
    older = ServerStatus(SINCE - 5, clients=(), pending=(), route_count=0)
    file = StatusFileContent(older, SINCE - 5, b"digest")
    run_batches(daemon.on_status_file(file, now=SINCE + 2.0, duration=0.1))
    assert poll(daemon, pending=(ALICE,)) == (1, 0)


def test_of_several_clients_at_an_address_without_a_port_none_is_taken_for_another() -> None:
    """Up to 2.6 an IPv6 address is printed without its port."""
    alice = structs.replace(ALICE, real_address="2001:db8::7")
    bob = structs.replace(alice, common_name="bob", client_id=4)
    second = structs.replace(alice, client_id=5)
    daemon = bridge()
    log_history(daemon, push_reply(client="alice/2001:db8::7"))
    assert poll(daemon, pending=(alice, bob, second)) == (0, 3)
    log(daemon, push_reply(client="alice/2001:db8::7"), push_reply(client="bob/2001:db8::7"))
    assert poll(daemon, clients=(second,), pending=(alice, bob)) == (2, 1)
    log(daemon, push_reply(client="alice/2001:db8::7"))
    assert poll(daemon, pending=(alice, bob)) == (2, 0)


def test_the_rejection_of_another_client_at_an_address_without_a_port_is_not_this_clients() -> None:
    rejected = structs.replace(NO_CIPHER, text=NO_CIPHER.text.replace("192.0.2.7:4", "2001:db8::7"))
    daemon = bridge()
    log_history(daemon)
    assert poll(daemon) == (0, 0)
    log(daemon, push_reply(client="alice/2001:db8::7"), rejected)
    established(daemon)
    assert poll(daemon, pending=(structs.replace(ALICE, real_address="2001:db8::7"),)) == (1, 0)


def test_a_silent_client_stays_connected_while_the_format_changes() -> None:
    """A fallback to format 1 has no client ids, and times in the zone of that moment."""
    daemon = bridge()
    log_history(daemon, push_reply())
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    for row in (
        FORMAT_1,
        structs.replace(FORMAT_1, connected_since=SINCE + 3600),
        ALICE,
        structs.replace(FORMAT_1, connected_since=SINCE - 3600),
        ALICE,
    ):
        assert poll(daemon, pending=(row,)) == (1, 0)
    assert daemon.clients.sessions.connects == daemon.clients.sessions.disconnects == 0


def test_a_silent_client_without_an_id_stays_connected_when_it_gets_one() -> None:
    daemon = bridge()
    log_history(daemon, push_reply())
    assert poll(daemon, pending=(FORMAT_1,)) == (1, 0)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert daemon.clients.sessions.connects == daemon.clients.sessions.disconnects == 0


def test_another_client_is_pending_while_the_format_changes() -> None:
    daemon = bridge()
    assert poll(daemon, clients=(ALICE,)) == (1, 0)
    for changed in (
        structs.replace(FORMAT_1, connected_since=SINCE + 1),
        structs.replace(FORMAT_1, real_address="192.0.2.7:5"),
        structs.replace(FORMAT_1, common_name="bob"),
    ):
        assert poll(daemon, clients=(ALICE,), pending=(changed,)) == (1, 1)


def test_the_log_lines_of_another_process_count_as_those_of_the_first() -> None:
    daemon = bridge()
    daemon.on_pid(1)
    log_history(daemon, push_reply())
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    daemon.on_connect()
    daemon.on_pid(2)
    log_history(daemon, push_reply(SINCE + 101))
    restarted = structs.replace(ALICE, connected_since=SINCE + 100, client_id=0)
    assert poll(daemon, pending=(restarted,)) == (1, 0)
    assert daemon.clients.sessions.disconnects == 1


def test_logins_are_limited_while_no_status_is_counted() -> None:
    logins = LoggedLogins()
    for number in range(10_005):
        logins.add(LoginLine("alice", f"192.0.2.7:{number}", SINCE))
        if number % 5000 == 0:
            logins.on_status_received()
    logins.on_status_received()
    assert len(logins._known) == 10_000


def test_the_names_of_an_address_without_a_port_are_limited() -> None:
    logins = LoggedLogins()
    for number in range(200):
        logins.add(LoginLine(f"{number}", "::1", SINCE))
    assert list(logins._later["::1"]) == [f"{number}" for number in range(100, 200)]


def test_a_flood_of_logins_keeps_the_last_ones() -> None:
    logins = LoggedLogins()
    for number in range(10_005):
        logins.add(LoginLine("alice", f"192.0.2.7:{number}", SINCE))
        logins.add(LoginLine(f"{number}", "::1", SINCE))
    logins.on_status_received()
    proven = [
        logins.proves(structs.replace(ALICE, real_address=f"192.0.2.7:{number}"))
        for number in range(10_005)
    ]
    assert proven.count(True) == 10_000 - 1
    assert proven[-1]
