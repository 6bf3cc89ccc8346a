"""systemd's units as they are written."""

from pathlib import Path

from tests.deploy.dockerfile import ROOT

SYSTEMD = ROOT / "deploy" / "systemd"


class Unit:
    """The sections of a unit file; a key may be given several times."""

    def __init__(self, path: Path) -> None:
        self._sections: dict[str, list[tuple[str, str]]] = {}
        section = ""
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
                self._sections[section] = []
            elif line and not line.startswith("#"):
                key, _, value = line.partition("=")
                self._sections[section].append((key, value))

    def values(self, section: str, key: str) -> list[str]:
        return [value for name, value in self._sections[section] if name == key]

    def value(self, section: str, key: str) -> str:
        (value,) = self.values(section, key)
        return value


def lines_of(path: Path) -> list[list[str]]:
    """Return the fields of each line of a tmpfiles.d or sysusers.d file."""
    return [
        line.split(maxsplit=6)
        for line in path.read_text().splitlines()
        if line and not line.startswith("#")
    ]
