"""Only a short list of read-only commands can be sent."""

from typing import cast

import pytest

from exporter.management.commands import Command, ReplyKind
from exporter.management.protocol import ManagementProtocol


def test_exactly_these_lines_can_be_sent() -> None:
    protocol = ManagementProtocol()
    assert {protocol.send_command(command) for command in Command} == {
        b"bytecount 0\n",
        b"hold\n",
        b"load-stats\n",
        b"log all\n",
        b"log off\n",
        b"log on\n",
        b"pid\n",
        b"quit\n",
        b"state all\n",
        b"state on\n",
        b"state\n",
        b"status 1\n",
        b"status 3\n",
        b"verb\n",
        b"version\n",
    }


@pytest.mark.parametrize("words", ["signal SIGTERM", b"pid\n", ("pid",), None, ReplyKind.LINE])
def test_nothing_but_a_command_can_be_sent(words: object) -> None:
    with pytest.raises(TypeError, match="read-only"):
        ManagementProtocol().send_command(cast("Command", words))


def test_each_command_has_the_form_of_its_reply() -> None:
    multiline = {command.text for command in Command if command.reply is ReplyKind.MULTILINE}
    assert multiline == {
        "version", "state", "state all", "status 1", "status 3", "log all"
    }  # fmt: skip
    assert Command.QUIT.reply is ReplyKind.NOTHING
    assert Command.LOAD_STATS.reply is ReplyKind.LINE
