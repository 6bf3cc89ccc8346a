import os
import pwd

import pytest

from exporter.openvpn_config.discovery import running_user


def test_it_is_the_name_of_the_effective_user() -> None:
    assert running_user() == pwd.getpwuid(os.geteuid()).pw_name


def test_a_user_without_a_name_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 987654)
    assert running_user() == "987654"
