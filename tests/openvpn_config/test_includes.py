import os
from pathlib import Path

import pytest

from exporter.openvpn_config.errors import OpenVpnConfigError, SyntaxProblem, UnreadableFile
from exporter.openvpn_config.includes import MAX_BYTES, MAX_LEVELS, read


def write(directory: Path, **files: str) -> Path:
    """Write files by their names; return the first."""
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory / next(iter(files))


def words(file: Path) -> list[str]:
    return [" ".join((each.name, *each.arguments)) for each in read(file).directives]


def error_text(file: Path, error_type: type[OpenVpnConfigError]) -> str:
    with pytest.raises(error_type) as caught:
        read(file)
    return str(caught.value).replace(str(file.parent), "")


def test_include_is_read_at_its_position(tmp_path: Path) -> None:
    file = write(tmp_path, a="verb 1\nconfig b\nverb 3\n", b="verb 2\n")
    assert words(file) == ["verb 1", "verb 2", "verb 3"]
    assert read(file).files == (file, tmp_path / "b")
    assert [each.location.file.name for each in read(file).directives] == ["a", "b", "a"]


def test_include_is_relative_to_the_directory_of_the_first_file(tmp_path: Path) -> None:
    write(tmp_path / "deeper", b="config c\n", c="verb 1\n")
    file = write(tmp_path, a="config deeper/b\n", c="verb 2\n")
    assert words(file) == ["verb 2"]


def test_cd_changes_the_base_of_later_includes(tmp_path: Path) -> None:
    write(tmp_path / "deeper", b="verb 1\n")
    file = write(tmp_path, a="cd deeper\nconfig b\n")
    assert words(file) == ["verb 1"]
    assert read(file).directory == tmp_path / "deeper"


def test_ten_levels_of_includes_are_read(tmp_path: Path) -> None:
    files = {f"f{level}": f"config f{level + 1}\n" for level in range(1, MAX_LEVELS)}
    file = write(tmp_path, **files, f10="verb 1\n")
    assert words(file) == ["verb 1"]
    (tmp_path / "f10").write_text("config f11\n")
    (tmp_path / "f11").write_text("verb 1\n")
    assert (
        error_text(file, SyntaxProblem) == "/f10:1: includes are nested more than 10 deep: a loop?"
    )


def test_include_loop_is_refused(tmp_path: Path) -> None:
    assert "a loop?" in error_text(write(tmp_path, a="config a\n"), SyntaxProblem)


def test_missing_include_is_reported_at_its_directive(tmp_path: Path) -> None:
    file = write(tmp_path, a="verb 1\nconfig b\n")
    assert error_text(file, UnreadableFile) == "/a:2: cannot read /b: No such file or directory"


def test_missing_file_is_named_once(tmp_path: Path) -> None:
    assert (
        error_text(tmp_path / "a", UnreadableFile)
        == "/a: cannot read the file: No such file or directory"
    )


def test_directory_and_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert (
        error_text(tmp_path / "pipe", UnreadableFile)
        == "/pipe: cannot read the file: not a regular file"
    )
    (tmp_path / "a").mkdir()
    assert error_text(tmp_path / "a", UnreadableFile) == "/a: cannot read the file: Is a directory"


def test_repeated_includes_beyond_the_size_limit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes((b"#" * 250 + b"\n") * 1200)
    file = write(tmp_path, a="config b\n" * 4, b="config c\n" * 4)
    assert (tmp_path / "c").stat().st_size * 16 > MAX_BYTES
    assert error_text(file, UnreadableFile) == "/b:2: more than 4 MiB, includes counted"


def test_setenv_opt_is_stripped_and_marks_the_directive_optional(tmp_path: Path) -> None:
    file = write(
        tmp_path, a="setenv opt verb 3\nsetenv opt\nsetenv opt x\nsetenv-safe opt verb 4\n"
    )
    assert words(file) == ["verb 3", "setenv opt", "x", "setenv-safe opt verb 4"]
    assert [each.optional for each in read(file).directives] == [True, False, True, False]
