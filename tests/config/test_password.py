import os
from pathlib import Path

import pytest

from exporter.config import ConfigError, load, read_password

LONGEST = 1023


def holding(directory: Path, content: bytes) -> Path:
    path = directory / "office.password"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b" secret \n", " secret "),
        ("clé\n".encode(), "clé"),
        (b"x" * LONGEST + b"\r\n", "x" * LONGEST),
    ],
)
def test_one_line_end_is_stripped_and_nothing_else(
    tmp_path: Path, content: bytes, password: str
) -> None:
    assert read_password(holding(tmp_path, content)).reveal() == password


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"secret\n\n", "more than one line"),
        (b"sec\nret", "more than one line"),
        (b"sec\rret", "control characters"),
        (b"sec\x00ret", "control characters"),
        (b"sec\tret", "control characters"),
        (b"secr\xe9t", "is not UTF-8"),
        (b"x" * (LONGEST + 1), "more than 1023 bytes"),
        (b"x" * 100_000, "more than 1023 bytes"),
        (b"\xff" * 100_000, "more than 1023 bytes"),
    ],
)
def test_what_no_daemon_would_accept_is_refused_without_showing_it(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = holding(tmp_path, content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_password(path)
    said = str(caught.value).replace(str(path), "")
    assert "sec" not in said
    assert "xx" not in said


def test_a_missing_file_is_named_with_the_systems_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*nowhere: No such file or directory"):
        read_password(tmp_path / "nowhere")


def test_a_named_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match=r"cannot read .*pipe: not a regular file"):
        read_password(pipe)


def test_a_link_to_the_file_will_do(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(holding(tmp_path, b"secret"))
    assert read_password(link).reveal() == "secret"


def test_the_password_stands_neither_in_the_configuration_nor_in_its_errors(tmp_path: Path) -> None:
    holding(tmp_path, b"hunter2\n")
    config = tmp_path / "config.yaml"
    daemon = "daemons: [{name: a, management: 'a:1', password_file: office.password}]\n"
    config.write_text(daemon)
    assert "hunter2" not in repr(load(config))
    holding(tmp_path, b"hunter2\nhunter2\n")
    with pytest.raises(ConfigError) as caught:
        load(config)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)
