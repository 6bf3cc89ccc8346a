"""How many arguments each option takes, compared with OpenVPN."""

import subprocess

from exporter.openvpn_config.options import _ARGUMENTS
from tests.real.daemon import OPENVPN

LENIENT = {
    ("crl-verify", 2),  # the second is `dir`
    ("local", 3),  # since 2.7
}
"""Accepted here, and refused by some versions."""


def is_accepted(name: str, count: int) -> bool:
    """Return whether OpenVPN accepts so many arguments; another error ends it."""
    command = [OPENVPN, f"--{name}", *["1"] * count, "--no-such-option"]
    output = subprocess.run(command, check=False, capture_output=True, text=True).stdout  # noqa: S603 -- fixed arguments
    assert "Options error" in output or name in {"cd", "config"}
    return f"missing or extra parameter(s) in [CMD-LINE]:1: {name} " not in output


def test_openvpn_refuses_what_is_refused_here_and_accepts_the_most_arguments() -> None:
    for name, counts in _ARGUMENTS.items():
        assert counts.start == 0 or not is_accepted(name, counts.start - 1), name
        assert counts.stop > 15 or not is_accepted(name, counts.stop), name
        most = counts.stop - 1
        assert (name, most) in LENIENT or is_accepted(name, most), name
