from pathlib import Path

import pytest

from exporter.openvpn_config import ccd
from exporter.openvpn_config.ccd import expected_clients
from exporter.openvpn_config.errors import UnreadableFile


def write_files(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


def test_each_file_is_a_client(tmp_path: Path) -> None:
    write_files(
        tmp_path, **{"oslo": "", "Doe, John": "ifconfig-push 1 2\n", "Zoë": "", "lisbon": ""}
    )
    assert expected_clients(tmp_path) == ("Doe, John", "Zoë", "lisbon", "oslo")


def test_files_of_no_client_are_ignored(tmp_path: Path) -> None:
    write_files(tmp_path, **{".hidden": "", "DEFAULT": "", "a\nb": "", " blank": ""})
    (tmp_path / "directory").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert expected_clients(tmp_path) == ()


@pytest.mark.parametrize("text", ["disable\n", "# gone\n  --disable", "'disable'\nverb 3\n"])
def test_disabled_client_is_not_expected(tmp_path: Path, text: str) -> None:
    assert expected_clients(write_files(tmp_path, oslo=text)) == ()


@pytest.mark.parametrize("text", ["# disable\n", "push disable\n", '"open\ndisable\n', "<x>\n"])
def test_client_that_is_not_disabled_is_expected(tmp_path: Path, text: str) -> None:
    assert expected_clients(write_files(tmp_path, oslo=text)) == ("oslo",)


def test_symbolic_link_to_a_file_is_a_client(tmp_path: Path) -> None:
    write_files(tmp_path, oslo="disable\n")
    (tmp_path / "rome").symlink_to("oslo")
    (tmp_path / "lisbon").symlink_to("/dev/null")
    assert expected_clients(tmp_path) == ()


def test_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="ccd: cannot read the directory: No such file"):
        expected_clients(tmp_path / "ccd")


def test_directory_with_too_many_files_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccd, "MAX_CLIENTS", 2)
    write_files(tmp_path, a="", b="")
    assert len(expected_clients(tmp_path)) == 2
    with pytest.raises(UnreadableFile, match="more than 2 files"):
        expected_clients(write_files(tmp_path, c=""))
