"""Addresses at which a management interface may be shared."""

from pathlib import Path

import pytest

from exporter.config import ConfigError
from exporter.config.loader import load


@pytest.mark.parametrize(
    ("share", "problem"),
    [
        ("listen: ['127.0.0.1:7506', 'unix:/run/a.sock']", None),
        ("listen: ['0.0.0.0:7506']", "0.0.0.0:7506 can be reached by other hosts"),
        ("listen: ['0.0.0.0:7506'], password_file: password", None),
    ],
)
def test_an_address_that_other_hosts_reach_needs_a_password(
    tmp_path: Path, share: str, problem: str | None
) -> None:
    (tmp_path / "password").write_text("secret\n")
    file = tmp_path / "config.yaml"
    file.write_text(f"daemons: [{{name: a, management: 'unix:/a', share: {{{share}}}}}]\n")
    if problem is None:
        load(file)
        return
    with pytest.raises(ConfigError, match=problem):
        load(file)
