"""The permissions of a shared socket."""

from pathlib import Path

import pytest

from exporter.config.socket_types import FileMode, FilePermissions
from exporter.config.types import Scalar


def read(text: str) -> FilePermissions:
    return FileMode().read(Scalar(text, "str", Path("/nowhere")))


@pytest.mark.parametrize(
    ("text", "bits"), [("0660", 0o660), ("600", 0o600), ("0777", 0o777), ("000", 0)]
)
def test_a_mode_is_octal(text: str, bits: int) -> None:
    mode = read(text)
    assert mode.bits == bits
    assert read(str(mode)) == mode


@pytest.mark.parametrize("text", ["", "66", "0680", "4660", "00660", "0o660", "rw-", "-660"])
def test_anything_else_is_no_mode(text: str) -> None:
    with pytest.raises(ValueError, match='is no mode of a file: write an octal number such as "0'):
        read(text)
