from pathlib import Path

import pytest

from exporter.config.secret_files import PrivacyKey, read_privacy_key

KEY = b"0123456789abcdef"


def holding(directory: Path, content: bytes) -> Path:
    path = directory / "privacy.key"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [KEY, KEY + b"\n", KEY + b"\r\n"])
def test_line_ends_at_the_end_are_no_part_of_the_key(tmp_path: Path, content: bytes) -> None:
    assert read_privacy_key(holding(tmp_path, content)).reveal() == KEY


@pytest.mark.parametrize("key", [b"\x00\xff" * 8, b"k" * 4096])
def test_any_bytes_are_a_key(tmp_path: Path, key: bytes) -> None:
    assert read_privacy_key(holding(tmp_path, key)).reveal() == key


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "less than 16 bytes: make a key with 'openssl rand -hex 32'"),
        (KEY[:-1] + b"\n", "less than 16 bytes"),
        (b"k" * 4097, "more than 4096 bytes"),
    ],
)
def test_other_keys_are_refused_without_showing_them(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = holding(tmp_path, content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_privacy_key(path)
    assert "0123" not in str(caught.value).replace(str(path), "")
    assert "kkk" not in str(caught.value).replace(str(path), "")


def test_a_key_shows_its_path_and_nothing_else(tmp_path: Path) -> None:
    key = read_privacy_key(holding(tmp_path, KEY))
    assert str(key) == str(tmp_path / "privacy.key")
    assert "0123" not in f"{key!r}{key}"


def test_another_content_is_another_key(tmp_path: Path) -> None:
    first = read_privacy_key(holding(tmp_path, KEY))
    assert first == read_privacy_key(holding(tmp_path, KEY + b"\n"))
    assert first != read_privacy_key(holding(tmp_path, KEY + b"g"))
    assert first != PrivacyKey(tmp_path, KEY)
