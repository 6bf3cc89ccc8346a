import random

import pytest

from exporter.management.errors import (
    AuthenticationFailed,
    ClientAuthPromptError,
    ConnectionRefused,
    EndpointNotFound,
    EndpointPermissionError,
    EndpointUnreachable,
    HoldPromptError,
    ManagementError,
    PasswordFileError,
    PasswordPromptError,
    ProtocolError,
    ReplyTimeout,
    SessionClosed,
    SlotBusy,
)
from exporter.monitor.backoff import (
    BASE,
    MAX,
    PROMPT_MAX,
    STABLE_TIME,
    WRONG_PASSWORD_DELAY,
    Backoff,
)
from tests.monitor.harness import FullJitter, NoJitter


def test_the_bound_doubles_up_to_a_cap() -> None:
    backoff = Backoff(FullJitter(), prompt_retry_interval=30)
    delays = [backoff.delay(ConnectionRefused()) for _ in range(8)]
    assert delays == [BASE, 2, 4, 8, 16, 32, MAX, MAX]


def test_the_jitter_is_full() -> None:
    backoff = Backoff(NoJitter(), prompt_retry_interval=30)
    assert [backoff.delay(SlotBusy()) for _ in range(8)] == [0.0] * 8


def test_delays_are_spread_over_the_whole_range() -> None:
    chance = random.Random(1)
    firsts = sorted(
        Backoff(chance, prompt_retry_interval=30).delay(SessionClosed()) for _ in range(1000)
    )
    assert firsts[0] < 0.01 * BASE
    assert firsts[-1] > 0.99 * BASE
    assert firsts[500] == pytest.approx(BASE / 2, rel=0.1)


def test_a_success_resets_the_bound() -> None:
    backoff = Backoff(FullJitter(), prompt_retry_interval=30)
    for _ in range(5):
        backoff.delay(ReplyTimeout())
    backoff.reset()
    assert [backoff.delay(ReplyTimeout()) for _ in range(2)] == [BASE, 2 * BASE]


def test_years_of_failures_keep_the_bound_finite() -> None:
    backoff = Backoff(FullJitter(), prompt_retry_interval=30)
    delays = [backoff.delay(ConnectionRefused()) for _ in range(5000)]
    assert delays[-1] == MAX


def test_a_wrong_password_waits_a_quarter_of_an_hour_without_jitter() -> None:
    for chance in (NoJitter(), FullJitter()):
        backoff = Backoff(chance, prompt_retry_interval=30)
        assert [backoff.delay(AuthenticationFailed()) for _ in range(20)] == [15 * 60.0] * 20
    assert WRONG_PASSWORD_DELAY == 15 * 60.0


@pytest.mark.parametrize(
    "kind",
    [
        ConnectionRefused,
        EndpointNotFound,
        EndpointUnreachable,
        EndpointPermissionError,
        SlotBusy,
        ReplyTimeout,
        ProtocolError,
        SessionClosed,
        PasswordFileError,
    ],
)
def test_no_other_reason_waits_longer_than_the_cap(kind: type[ManagementError]) -> None:
    backoff = Backoff(FullJitter(), prompt_retry_interval=30)
    assert max(backoff.delay(kind()) for _ in range(20)) == MAX


@pytest.mark.parametrize(
    "error", [HoldPromptError("", "hold"), PasswordPromptError("", "Auth")], ids=repr
)
def test_a_prompt_waits_prompt_retry_interval_which_doubles(
    error: ManagementError,
) -> None:
    for chance in (NoJitter(), FullJitter()):
        backoff = Backoff(chance, prompt_retry_interval=30)
        delays = [backoff.delay(error) for _ in range(6)]
        assert delays == [30, 60, 120, 240, 480, PROMPT_MAX]


def test_a_prompt_retry_interval_above_the_cap_is_kept() -> None:
    backoff = Backoff(FullJitter(), prompt_retry_interval=3600)
    assert [backoff.delay(HoldPromptError("", "hold")) for _ in range(3)] == [3600] * 3


def test_client_authentication_waits_an_hour() -> None:
    backoff = Backoff(NoJitter(), prompt_retry_interval=30)
    assert backoff.delay(ClientAuthPromptError("", "client_auth")) == 3600


def test_sessions_that_end_after_a_poll_are_failures() -> None:
    backoff = Backoff(FullJitter(), prompt_retry_interval=30)
    delays = []
    for _ in range(4):
        backoff.reset()
        backoff.end_session(STABLE_TIME - 1)
        delays.append(backoff.delay(SessionClosed()))
    assert delays == [BASE, 2, 4, 8]


def test_a_stable_session_begins_anew() -> None:
    backoff = Backoff(FullJitter(), prompt_retry_interval=30)
    for seconds in (1, 1, STABLE_TIME):
        backoff.reset()
        backoff.reset()
        backoff.end_session(seconds)
    assert [backoff.delay(SessionClosed()) for _ in range(2)] == [BASE, 2]


def test_a_long_session_without_a_poll_is_a_failure() -> None:
    backoff = Backoff(FullJitter(), prompt_retry_interval=30)
    delays = []
    for _ in range(3):
        backoff.end_session(STABLE_TIME)
        delays.append(backoff.delay(ReplyTimeout()))
    assert delays == [BASE, 2, 4]
