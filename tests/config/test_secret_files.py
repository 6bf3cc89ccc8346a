import os
from pathlib import Path

import pytest

from exporter.config import ConfigError, read_password
from exporter.config.loader import load
from exporter.config.secret_files import PrivacyKey, read_privacy_key

MAX_BYTES = 1023
KEY = b"0123456789abcdef"


def password_file(directory: Path, content: bytes) -> Path:
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
        (b"x" * MAX_BYTES + b"\r\n", "x" * MAX_BYTES),
        (b"secret\n\n", "secret"),
        (b"secret\nuser\n", "secret"),
        (b"secret\r\n\xff\0" + b"x" * 100_000, "secret"),
    ],
)
def test_first_line_is_the_password_as_for_the_daemon(
    tmp_path: Path, content: bytes, password: str
) -> None:
    assert read_password(password_file(tmp_path, content)).reveal() == password


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\nsecret\n", "is empty"),
        (b"sec\rret", "control characters"),
        (b"sec\x00ret", "control characters"),
        (b"sec\tret", "control characters"),
        (b"secr\xe9t", "is not UTF-8"),
        (b"x" * (MAX_BYTES + 1), "more than 1023 bytes"),
        (b"x" * 100_000, "more than 1023 bytes"),
        (b"\xff" * 100_000, "more than 1023 bytes"),
    ],
)
def test_invalid_password_is_refused_without_quoting_it(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = password_file(tmp_path, content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_password(path)
    message = str(caught.value).replace(str(path), "")
    assert "sec" not in message
    assert "xx" not in message


def test_missing_file_is_reported_with_the_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*nowhere: No such file or directory"):
        read_password(tmp_path / "nowhere")


def test_named_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match=r"cannot read .*pipe: not a regular file"):
        read_password(pipe)


def test_symbolic_link_to_the_file_is_read(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(password_file(tmp_path, b"secret"))
    assert read_password(link).reveal() == "secret"


def test_password_is_neither_in_the_configuration_nor_in_its_errors(tmp_path: Path) -> None:
    password_file(tmp_path, b"hunter2\n")
    config = tmp_path / "config.yaml"
    daemon = "daemons: [{name: a, management: 'a:1', password_file: office.password}]\n"
    config.write_text(daemon)
    assert "hunter2" not in repr(load(config))
    password_file(tmp_path, b"hunter2\thunter2\n")
    with pytest.raises(ConfigError) as caught:
        load(config)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)


def key_file(directory: Path, content: bytes) -> Path:
    path = directory / "privacy.key"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [KEY, KEY + b"\n", KEY + b"\r\n"])
def test_line_ends_at_the_end_are_not_part_of_the_key(tmp_path: Path, content: bytes) -> None:
    assert read_privacy_key(key_file(tmp_path, content)).reveal() == KEY


@pytest.mark.parametrize("key", [b"\x00\xff" * 8, b"k" * 4096])
def test_any_bytes_are_a_key(tmp_path: Path, key: bytes) -> None:
    assert read_privacy_key(key_file(tmp_path, key)).reveal() == key


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "less than 16 bytes: make a key with 'openssl rand -hex 32'"),
        (KEY[:-1] + b"\n", "less than 16 bytes"),
        (b"k" * 4097, "more than 4096 bytes"),
    ],
)
def test_invalid_key_is_refused_without_quoting_it(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = key_file(tmp_path, content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_privacy_key(path)
    assert "0123" not in str(caught.value).replace(str(path), "")
    assert "kkk" not in str(caught.value).replace(str(path), "")


def test_key_is_represented_by_its_path(tmp_path: Path) -> None:
    key = read_privacy_key(key_file(tmp_path, KEY))
    assert str(key) == str(tmp_path / "privacy.key")
    assert "0123" not in f"{key!r}{key}"


def test_keys_are_equal_by_path_and_content(tmp_path: Path) -> None:
    first = read_privacy_key(key_file(tmp_path, KEY))
    assert first == read_privacy_key(key_file(tmp_path, KEY + b"\n"))
    assert first != read_privacy_key(key_file(tmp_path, KEY + b"g"))
    assert first != PrivacyKey(tmp_path, KEY)
