"""The files in deploy/, compared with those of Debian's packages."""

from pathlib import Path

from tests.deploy.units import SYSTEMD, Unit


def test_drop_in_changes_only_the_management_option() -> None:
    drop_in = Unit(SYSTEMD / "openvpn-server@.service.d" / "management.conf")
    packaged = Unit(Path("/lib/systemd/system/openvpn-server@.service"))
    reset, command = drop_in.values("Service", "ExecStart")
    assert reset == ""
    assert command.rpartition(" --management")[0] == packaged.value("Service", "ExecStart")
