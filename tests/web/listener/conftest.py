from pathlib import Path

import pytest

from tests.web.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority()
    authority.write(tmp_path, "web", "localhost")
    (tmp_path / "ca.crt").write_text(authority.pem)
    return authority
