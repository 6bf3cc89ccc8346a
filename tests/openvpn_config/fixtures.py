"""OpenVPN configurations for tests."""

from pathlib import Path

from exporter.openvpn_config import OpenVpnConfig
from exporter.openvpn_config.model import read


def write(directory: Path, text: str, name: str = "office.conf") -> Path:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def openvpn_config(directory: Path, text: str) -> OpenVpnConfig:
    """Return the configuration of a file with this text in the directory."""
    return read(write(directory, text))
