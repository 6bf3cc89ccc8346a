import pytest

from exporter.management.server.commands import (
    OPENVPN_2_6,
    CommandError,
    CommandSpec,
    CommandTable,
    atoi,
)


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "status 3 surplus",
        "log all",
        "nclients",
        "quit",
        "exit",
        "kill alice",
        "password Auth secret",
        "client-deny 0 1 no",
        "remote-entry-get 0",
    ],
)
def test_a_complete_command_is_fine(line: str) -> None:
    OPENVPN_2_6.check(line.split())


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("bogus", "unknown command, enter 'help' for more options"),
        ("STATUS 2", "unknown command, enter 'help' for more options"),
        ("kill", "the 'kill' command requires 1 parameter"),
        ("needok x", "the 'needok' command requires 2 parameters"),
        ("log", "the 'log' command requires at least 1 parameter"),
        ("client-deny 0 1", "the 'client-deny' command requires at least 3 parameters"),
    ],
)
def test_another_command_is_refused(line: str, text: str) -> None:
    with pytest.raises(CommandError) as refused:
        OPENVPN_2_6.check(line.split())
    assert str(refused.value) == text


def test_openvpn_2_7_repeats_an_unknown_command() -> None:
    table = CommandTable((CommandSpec("pid"),), names_unknown=True)
    with pytest.raises(CommandError, match=r"^unknown command \[bogus\], enter 'help' for more"):
        table.check(["bogus", "x"])
    table.check(["pid"])


def test_a_table_of_fewer_commands_has_a_shorter_help() -> None:
    served = CommandTable(spec for spec in OPENVPN_2_6 if spec.name in ("pid", "hold", "exit"))
    assert list(served.help("OpenVPN 2.6.14")) == [
        "Management Interface for OpenVPN 2.6.14",
        "Commands:",
        "exit|quit              : Close management session.",
        "hold [on|off|release]  : Set/show hold flag to on/off state, or",
        "                         release current hold and start tunnel.",
        "pid                    : Show process ID of the current OpenVPN process.",
    ]
    assert "hold" in served
    assert "kill" not in served


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("3x", 3), ("-1", -1), ("+7", 7), (" \t5", 5), ("x3", 0), ("", 0), ("bogus", 0)],
)
def test_a_number_is_read_as_c_reads_it(text: str, number: int) -> None:
    assert atoi(text) == number
