"""Options that a service manager adds on OpenVPN's command line."""

from pathlib import Path

import pytest

from exporter.openvpn_config import OpenVpnConfig, Pattern, discover
from exporter.openvpn_config.command_line import directives, parse
from tests.openvpn_config.fixtures import write


def only_config(directory: Path, pattern: str, options: str) -> OpenVpnConfig:
    (daemon,) = discover([Pattern(pattern, options)], directory).daemons
    assert daemon.config is not None
    return daemon.config


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("--management a.sock unix", (("--management", "a.sock", "unix"),)),
        ("management a.sock unix", (("management", "a.sock", "unix"),)),
        ("--verb 3 --status 'a b' 10", (("--verb", "3"), ("--status", "a b", "10"))),
        ("verb 3\n# comment\n--status a\n", (("verb", "3"), ("--status", "a"))),
        (f"--unknown {'x ' * 40}--verb 3", (("--unknown", *"x" * 40), ("--verb", "3"))),
    ],
)
def test_options_are_parsed_as_openvpn_does(text: str, expected: tuple[tuple[str, ...]]) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--management a.sock", "`management` has too few or too many arguments"),
        ("--status 'a", "no closing quotation mark"),
        ("--status %n.log", "%n is unknown: use %i for the instance"),
        ("--status 50%", "% is unknown: use %i for the instance"),
    ],
)
def test_invalid_options_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_specifiers_are_replaced_after_the_words_are_split() -> None:
    groups = parse("--status %t/vpn/%i.log 10 --cd 100%%")
    status, cd = directives(groups, "a 'b", Path("a.conf"))
    assert (status.name, status.arguments) == ("status", ("/run/vpn/a 'b.log", "10"))
    assert cd.arguments == ("100%",)
    (config,) = directives(parse("--config %I.conf"), "a", Path("a.conf"))
    assert config.arguments == ("a.conf",)


@pytest.mark.parametrize(
    ("pattern", "instance"),
    [
        ("server/*.conf", "vpn-office"),
        ("server/vpn-*.conf", "vpn-office"),
        ("server/vpn-office.conf", "vpn-office"),
        ("*/vpn-office.conf", "server"),
    ],
)
def test_instance_is_the_name_of_the_file_or_what_the_wildcards_of_directories_cover(
    tmp_path: Path, pattern: str, instance: str
) -> None:
    write(tmp_path, "client\n", "server/vpn-office.conf")
    config = only_config(tmp_path, pattern, "--management /run/%i.sock unix")
    assert config.management is not None
    assert config.management.address == f"/run/{instance}.sock"


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("--status added.log", "added.log"),
        ("--status added.log --config %i.conf", "own.log"),
        ("--config %i.conf --status added.log", "added.log"),
        ("--cd / --config office.conf", "/own.log"),
        ("--config other.conf", "own.log"),
        ("--config %i.conf --config other.conf", "other.log"),
    ],
)
def test_file_comes_where_the_options_say_else_first(
    tmp_path: Path, options: str, status: str
) -> None:
    write(tmp_path, "status other.log\n", "other.conf")
    write(tmp_path, "status own.log\n")
    config = only_config(tmp_path, "office.conf", options)
    expected = "other.log" if options == "--config other.conf" else status
    assert config.status_file == tmp_path / expected
    assert config.files[0] == tmp_path / "office.conf"
