from pathlib import Path

import pytest

from exporter.config import types
from exporter.config.types import (
    CertificateFile,
    Duration,
    Integer,
    Label,
    ListOf,
    PasswordFile,
    Scalar,
)

DURATION = Duration("100ms", "5m")
INTEGER = Integer(200)
NAME = Label(4)


def scalar(text: str, tag: str = "str") -> Scalar:
    return Scalar(text, tag, Path("/nowhere"))


@pytest.mark.parametrize(("text", "seconds"), [("100ms", 0.1), ("5m", 300.0)])
def test_duration_may_equal_its_bounds(text: str, seconds: float) -> None:
    assert DURATION.read(scalar(text)) == seconds


@pytest.mark.parametrize("text", ["99ms", "5m1ms"])
def test_duration_out_of_range_is_refused_with_its_bounds(text: str) -> None:
    with pytest.raises(ValueError, match="out of range: write a duration, 100ms to 5m"):
        DURATION.read(scalar(text))


@pytest.mark.parametrize("number", [1, 200])
def test_number_may_equal_its_bounds(number: int) -> None:
    assert INTEGER.read(scalar(str(number), "int")) == number


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("0", "int"),
        ("201", "int"),
        ("-1", "int"),
        ("1_0", "int"),
        ("0x10", "int"),
        ("1:30", "int"),
        ("1.0", "float"),
        ("5", "str"),
    ],
)
def test_invalid_number_is_refused_with_its_bounds(text: str, tag: str) -> None:
    with pytest.raises(ValueError, match="is not valid: write a whole number, 1 to 200"):
        INTEGER.read(scalar(text, tag))


def test_label_may_have_the_length_of_its_limit() -> None:
    assert NAME.read(scalar("Büro")) == "Büro"
    with pytest.raises(ValueError, match="write text, 1 to 4 printable characters"):
        NAME.read(scalar("Büros"))


def test_empty_path_is_not_the_directory_of_the_file() -> None:
    with pytest.raises(ValueError, match="'' is not a path"):
        PasswordFile().read(scalar(""))


def test_certificate_file_may_be_missing() -> None:
    assert CertificateFile().read(scalar("ca.crt")) == Path("/nowhere/ca.crt")


def test_empty_path_is_no_certificate_file() -> None:
    with pytest.raises(ValueError, match="'' is not a path: name a file"):
        CertificateFile().read(scalar(""))


def test_certificate_file_without_the_library_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(types, "can_read_certificates", lambda: False)
    with pytest.raises(ValueError, match="pip install cryptography"):
        CertificateFile().read(scalar("ca.crt"))


def test_hint_of_a_list_has_the_hint_of_its_items() -> None:
    assert ListOf(INTEGER).hint == "list of: whole number, 1 to 200"
