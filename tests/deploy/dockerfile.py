"""Dockerfiles without Docker: their instructions, and their first stage carried out in a directory.

python -m tests.deploy.dockerfile DIRECTORY     carries the project's out, downloads included
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Instruction(NamedTuple):
    """One instruction, its continued lines joined: `RUN`, `python -m venv tools`."""

    word: str
    text: str


class Stage(NamedTuple):
    """What stands between one FROM and the next; FROM is the first instruction."""

    instructions: tuple[Instruction, ...]

    def all(self, word: str) -> list[str]:
        return [instruction.text for instruction in self.instructions if instruction.word == word]

    def one(self, word: str) -> str:
        (text,) = self.all(word)
        return text


def stages(path: Path) -> list[Stage]:
    """Read a Dockerfile; what stands before its first FROM belongs to no stage."""
    lines = [line for line in path.read_text().splitlines() if not re.match(r"\s*(#|$)", line)]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).splitlines()
    instructions = [Instruction(*line.split(maxsplit=1)) for line in joined]
    starts = [index for index, (word, _) in enumerate(instructions) if word == "FROM"]
    ends = [*starts[1:], len(instructions)]
    return [Stage(tuple(instructions[start:end])) for start, end in zip(starts, ends, strict=True)]


class Build:
    """Carries out the COPYs and RUNs of one stage in order, in a directory.

    `installed` stands for `/opt`. Without downloads, the running Python lends its tools and what
    is locked; all other steps are carried out as they stand.
    """

    def __init__(self, directory: Path, *, downloads: bool) -> None:
        self.workdir = directory / "workdir"
        self.installed = directory / "opt"
        self._downloads = downloads
        self.workdir.mkdir(parents=True)

    def carry_out(self, stage: Stage) -> None:
        for word, text in stage.instructions:
            if word == "COPY":
                self._copy(*text.split())
            elif word == "RUN":
                self._run(text.replace("/opt/", f"{self.installed}/"))

    def _copy(self, *paths: str) -> None:
        *sources, target = paths
        for source in sources:
            place = self.workdir / target
            if (ROOT / source).is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, place, ignore=ignore)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, place)

    def _run(self, command: str) -> None:
        if not self._downloads and command == "python -m venv tools":
            (self.workdir / "tools").symlink_to(sys.prefix)
        elif not self._downloads and "--require-hashes" in command:
            self._lend()
        else:
            self._carry_out(command)

    def _carry_out(self, command: str) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = os.environ | {"PATH": path}  # with the settings of pip
        done = subprocess.run(  # noqa: S602 -- a RUN is a line for the shell
            command, shell=True, cwd=self.workdir, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout.decode()}{done.stderr.decode()}"

    def _lend(self) -> None:
        """Let the program that will be installed find the packages of the running Python."""
        lent = [path for path in sys.path if path.endswith("site-packages")]
        for packages in self.installed.glob("*/lib/*/site-packages"):
            (packages / "lent.pth").write_text("\n".join(lent))


if __name__ == "__main__":
    Build(Path(sys.argv[1]), downloads=True).carry_out(stages(ROOT / "Dockerfile")[0])
