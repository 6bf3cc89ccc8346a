"""Configurations of OpenVPN, written for a test."""

from pathlib import Path

from exporter.openvpn_config import OpenVpnConfig
from exporter.openvpn_config.model import read


def write(directory: Path, text: str, name: str = "office.conf") -> Path:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def openvpn_config(directory: Path, text: str) -> OpenVpnConfig:
    """Give what a configuration of this text in the directory says."""
    return read(write(directory, text))
