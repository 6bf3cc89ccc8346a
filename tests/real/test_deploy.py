"""What stands in deploy/, against what Debian's packages bring."""

from pathlib import Path

from tests.deploy.units import SYSTEMD, Unit


def test_openvpn_is_started_as_debian_starts_it_but_for_its_management() -> None:
    ours = Unit(SYSTEMD / "openvpn-server@.service.d" / "management.conf")
    debians = Unit(Path("/lib/systemd/system/openvpn-server@.service"))
    emptied, command = ours.values("Service", "ExecStart")
    assert emptied == ""
    assert command.rpartition(" --management")[0] == debians.value("Service", "ExecStart")
