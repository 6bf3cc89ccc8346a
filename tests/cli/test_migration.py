import pytest

from exporter.cli.main import COMMANDS, command_parser, main
from exporter.cli.migration import REPLACEMENTS


@pytest.mark.parametrize("flag", REPLACEMENTS)
@pytest.mark.parametrize("value", ["", "=x", " x"])
@pytest.mark.parametrize("command", ["", "serve ", "check "])
def test_a_flag_of_another_exporter_is_answered_by_what_to_write(
    flag: str, value: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(f"{command}--log.level=info {flag}{value}".split())
    assert ended.value.code == 2
    message = f"error: {flag} is a flag of another exporter: {REPLACEMENTS[flag]};"
    assert message in capsys.readouterr().err


def test_no_other_command_has_such_a_flag() -> None:
    flags = {
        option
        for command in COMMANDS
        if command.name != "migrate"
        for action in command_parser(command)._actions
        for option in action.option_strings
    }
    assert not flags & set(REPLACEMENTS)
