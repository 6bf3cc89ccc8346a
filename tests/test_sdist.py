"""The source archive has every file of the repository, and no other."""

import tarfile
from pathlib import Path

import pytest
from flit_core import buildapi  # type: ignore[import-untyped]

from tests.test_project import ROOT, known_files


def test_source_archive_has_every_file_that_git_knows(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        built = tmp_path / buildapi.build_sdist(str(tmp_path))
    with tarfile.open(built) as archive:
        packed = {member.name.partition("/")[2] for member in archive.getmembers()}
    assert packed == {*known_files(), "PKG-INFO"}
