"""The fuzzer runs for a moment, and what it finds can be run again."""

import random
from pathlib import Path

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz.fuzzer import corpus, failure, find
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
class TestTarget:
    def test_every_recording_passes(self, name: str) -> None:
        assert [failure(TARGETS[name], data) for data in corpus(name)] == [None] * len(corpus(name))

    def test_mutated_recordings_pass(self, name: str) -> None:
        assert find(TARGETS[name], corpus(name), random.Random(), seconds=1.0).failing is None


def fails_on_states(data: bytes) -> None:
    if b">STATE:" in data:
        raise KeyError(data)


def test_an_input_that_fails_is_minimized_saved_and_runs_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyError):
        command.fuzz("protocol", fails_on_states, seed=1, seconds=60.0)
    [saved] = command.SAVED.iterdir()
    assert saved.read_bytes() == b">STATE:"
    assert f'make fuzz ARGS="protocol {saved}"' in capsys.readouterr().out
    with pytest.raises(KeyError):
        command.run(fails_on_states, saved.read_bytes())


def test_an_input_that_takes_too_long_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.fuzzer.INPUT_SECONDS", 0.05)

    def spins(data: bytes) -> None:
        while data:
            pass

    assert isinstance(failure(spins, b"x"), TimeoutError)
    assert failure(spins, b"") is None
