"""What tools are answered, and what of it reaches the daemon."""

import asyncio
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from exporter.config.share import SharedEvent
from exporter.management.commands import Command
from exporter.management.messages import MultilineReply, Notification
from exporter.management.server.commands import KNOWN_COMMANDS
from exporter.monitor.shared_session import SharedFacts, SharedSession
from exporter.sharing.commands import SERVED, ToolCommands
from tests.fake_daemon import REPLIES, STATE, STATUS_1, STATUS_3, VERSION, Replies
from tests.sharing.harness import SharedDaemon, Tool, share_config, shared_daemon

BOTH = (SharedEvent.STATE, SharedEvent.LOG)
STATISTICS = (b"OpenVPN STATISTICS", b"Updated,2026-11-23 03:53:03", b"Auth read bytes,64", b"END")
OLDER = b"1795403000,RECONNECTING,SIGUSR1,,,,,"
LOG = (b"1795403001,I,first", b"1795403002,,second", b"1795403003,W,third")


def lines(*parts: bytes) -> bytes:
    return b"".join(part + b"\r\n" for part in parts)


def with_(**replies: tuple[bytes, ...]) -> Replies:
    return {
        **REPLIES,
        **{name.replace("_", " ").encode(): reply for name, reply in replies.items()},
    }


async def answered(
    shared: SharedDaemon, tool: Tool, command: bytes, replies: Replies = REPLIES
) -> bytes:
    """Return the reply to a command that the daemon is asked for."""
    asking = asyncio.create_task(tool.ask(command))
    received = await shared.session.read_line()
    shared.session.send_lines(*replies[received])
    return await asking


class TestFromMemory:
    """The exporter's own polls serve these: the fake daemon answers nothing more."""

    @pytest.mark.parametrize(
        ("command", "reply"),
        [
            (b"version", lines(*VERSION)),
            (b"pid", lines(b"SUCCESS: pid=4711")),
            (b"verb", lines(b"SUCCESS: verb=3")),
            (b"hold", lines(b"SUCCESS: hold=0")),
            (b"load-stats", lines(*REPLIES[b"load-stats"])),
            (b"load-stats surplus", lines(*REPLIES[b"load-stats"])),
            (b"status 3", lines(*STATUS_3)),
            (b"status 2", lines(*STATUS_3).replace(b"\t", b",")),
            (b"status 4", lines(b"ERROR: bad status format version number")),
            (b"status -1", lines(b"ERROR: bad status format version number")),
            (b"state", lines(STATE, b"END")),
            (b"state all", lines(STATE, b"END")),
            (b"state 99", lines(STATE, b"END")),
            (b"'state' \"all\"", lines(STATE, b"END")),
        ],
    )
    async def test_a_reply_of_the_last_poll(
        self, command: bytes, reply: bytes, tmp_path: Path
    ) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            assert await tool.ask(command) == reply

    @pytest.mark.parametrize(
        "command", [b"status", b"status 1", b"status 2", b"status 3", b"status 4"]
    )
    async def test_a_tunnel_has_one_format_for_all_numbers(
        self, command: bytes, tmp_path: Path
    ) -> None:
        replies = with_(status_3=STATISTICS, status_1=STATISTICS)
        async with shared_daemon(tmp_path, replies=replies) as shared, shared.greeted() as tool:
            if command in {b"status", b"status 1"}:
                assert await answered(shared, tool, command, replies) == lines(*STATISTICS)
            else:
                assert await tool.ask(command) == lines(*STATISTICS)

    async def test_a_refusal_of_the_daemon_is_passed_on(self, tmp_path: Path) -> None:
        refusal = b"ERROR: The 'status' command is not supported by the current daemon mode"
        replies = with_(status_3=(refusal,))
        async with shared_daemon(tmp_path, replies=replies) as shared, shared.greeted() as tool:
            for number in (b"2", b"3", b"7"):
                assert await tool.ask(b"status " + number) == lines(refusal)

    async def test_n_entries_of_the_history(self, tmp_path: Path) -> None:
        replies = with_(state_all=(OLDER, STATE, b"END"), log_all=(*LOG, b"END"))
        async with (
            shared_daemon(tmp_path, replies=replies, config=share_config(events=BOTH)) as shared,
            shared.greeted() as tool,
        ):
            assert await tool.ask(b"state") == lines(STATE, b"END")
            assert await tool.ask(b"state 2") == lines(OLDER, STATE, b"END")
            assert await tool.ask(b"log 2") == lines(*LOG[1:], b"END")
            assert await tool.ask(b"log all") == lines(*LOG, b"END")

    async def test_the_help_lists_what_is_served(self, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            text = (await tool.ask(b"help")).decode()
        title, _, *rest, end, _ = text.split("\r\n")
        assert title.startswith("Management Interface for OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL")
        names = {name for line in rest if line[0] != " " for name in line.split()[0].split("|")}
        assert names == {spec.name for spec in SERVED}
        assert end == "END"


class TestForwarded:
    async def test_status_1_is_asked_of_the_daemon_once_for_all_that_wait(
        self, tmp_path: Path
    ) -> None:
        async with (
            shared_daemon(tmp_path) as shared,
            shared.greeted() as first,
            shared.greeted() as second,
        ):
            asking = [asyncio.create_task(tool.ask(b"status")) for tool in (first, second)]
            assert await shared.session.read_line() == b"status 1"
            shared.session.send_lines(*STATUS_1)
            assert [await task for task in asking] == [lines(*STATUS_1)] * 2
            assert await first.ask(b"status 1") == lines(*STATUS_1)
            assert shared.commands() == {("status", "forwarded"): 1, ("status", "served"): 2}

    async def test_an_old_reply_is_asked_for_again(self, tmp_path: Path) -> None:
        config = share_config(max_age=0.0)
        async with shared_daemon(tmp_path, config=config) as shared, shared.greeted() as tool:
            newer = {**REPLIES, b"verb": (b"SUCCESS: verb=4",)}
            assert await answered(shared, tool, b"verb", newer) == lines(b"SUCCESS: verb=4")
            assert shared.commands() == {("verb", "forwarded"): 1}

    async def test_a_reply_of_another_form_ends_the_tools_session(self, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            tool.send(b"status 1\n")
            assert await shared.session.read_line() == b"status 1"
            shared.session.send_lines(b"SUCCESS: what?")
            assert await tool.rest() == b""
            async with shared.greeted() as another:
                assert await another.ask(b"pid") == lines(b"SUCCESS: pid=4711")

    async def test_pipelined_commands_are_answered_in_order(self, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            tool.send(b"pid\nstatus 1\nbogus\nverb\n")
            assert await shared.session.read_line() == b"status 1"
            shared.session.send_lines(*STATUS_1)
            await tool.read(
                lines(b"SUCCESS: pid=4711")
                + lines(*STATUS_1)
                + lines(b"ERROR: unknown command, enter 'help' for more options")
                + lines(b"SUCCESS: verb=3")
            )


VARIANTS = [
    "{}",
    '"{}"',
    "{} 1",
    "{} on",
    "{} 0 0 x y",
    "{} release",
    "{} all on",
    "'{}' \"x\" # y",
]


class TestRefused:
    @pytest.mark.parametrize("name", sorted(KNOWN_COMMANDS - {spec.name for spec in SERVED}))
    async def test_no_other_command_of_openvpn_reaches_the_daemon(
        self, name: str, tmp_path: Path
    ) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            for variant in VARIANTS:
                refusal = f"ERROR: read-only: '{name}' is not allowed here".encode()
                assert await tool.ask(variant.format(name).encode()) == lines(refusal)
            assert shared.commands() == {("other", "refused"): len(VARIANTS)}
            assert await answered(shared, tool, b"status 1") == lines(*STATUS_1)

    @pytest.mark.parametrize(
        "command",
        [b"verb 4", b"verb x", b"hold on", b"hold off", b"hold release", b"version 4", b"hold ''"],
    )
    async def test_a_parameter_that_changes_the_daemon(
        self, command: bytes, tmp_path: Path
    ) -> None:
        name = command.split()[0]
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            assert await tool.ask(command) == lines(
                b"ERROR: read-only: '%b' with a parameter is not allowed here" % name
            )
            assert shared.commands() == {(name.decode(), "refused"): 1}
            assert await answered(shared, tool, b"status 1") == lines(*STATUS_1)

    @pytest.mark.parametrize(
        "command", [b"KILL x", b'"ki"ll x', b"k\\ ill", b"kill\x07x", b"bogus"]
    )
    async def test_an_unknown_command(self, command: bytes, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            reply = await tool.ask(command)
            assert reply == lines(b"ERROR: unknown command, enter 'help' for more options")
            assert await answered(shared, tool, b"status 1") == lines(*STATUS_1)

    async def test_openvpn_2_7_repeats_an_unknown_command(self, tmp_path: Path) -> None:
        replies = with_(
            version=(b"OpenVPN Version: OpenVPN 2.7.6 x86_64", b"Management Version: 6", b"END")
        )
        async with shared_daemon(tmp_path, replies=replies) as shared, shared.greeted() as tool:
            assert await tool.ask(b"bogus x") == lines(
                b"ERROR: unknown command [bogus], enter 'help' for more options"
            )

    @pytest.mark.parametrize(
        "command", [b"log on", b"log all", b"log 5", b"log on all", b"log off all"]
    )
    async def test_the_log_unless_it_is_shared(self, command: bytes, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            reply = await tool.ask(command)
            assert reply == lines(b"ERROR: log lines are not shared: add 'log' to 'share.events'")


class Follower:
    """A tool that keeps the lines that it gets."""

    def __init__(self, commands: ToolCommands) -> None:
        self.commands = commands
        self.lines: list[bytes] = []

    @property
    def realtime(self) -> AbstractSet[str]:
        return self.commands.realtime

    def on_lines(self, lines: bytes) -> None:
        self.lines.append(lines)

    def on_close(self) -> None:
        """Do nothing."""


class TestRealTime:
    async def test_a_tool_gets_the_states_that_it_asks_for(self, tmp_path: Path) -> None:
        async with (
            shared_daemon(tmp_path) as shared,
            shared.greeted() as asking,
            shared.greeted() as silent,
        ):
            on = lines(b"SUCCESS: real-time state notification set to ON")
            assert await asking.ask(b"state on") == on
            shared.session.send_lines(b">STATE:1,RECONNECTING,x,,,,,", b">LOG:1,,x", b">INFO:x")
            await asking.read(lines(b">STATE:1,RECONNECTING,x,,,,,"))
            off = lines(b"SUCCESS: real-time state notification set to OFF")
            assert await asking.ask(b"state off") == off
            shared.session.send_lines(b">STATE:2,CONNECTED,SUCCESS,,,,,", b">FATAL:the end")
            await asking.read(lines(b">FATAL:the end"))
            await silent.read(lines(b">FATAL:the end"))

    async def test_a_history_goes_on_with_what_came_in_real_time(self, tmp_path: Path) -> None:
        async with (
            shared_daemon(tmp_path, config=share_config(events=BOTH)) as shared,
            shared.greeted() as following,
            shared.greeted() as tool,
        ):
            await following.ask(b"state on")
            shared.session.send_lines(b">LOG:1,,text", b">STATE:1,RECONNECTING,x,,,,,")
            await following.read(lines(b">STATE:1,RECONNECTING,x,,,,,"))
            newer = lines(STATE, b"1,RECONNECTING,x,,,,,", b"END")
            assert await tool.ask(b"state all") == newer
            assert await tool.ask(b"state") == lines(b"1,RECONNECTING,x,,,,,", b"END")
            assert await tool.ask(b"log all") == lines(b"1,,text", b"END")

    async def test_no_line_is_lost_or_comes_twice_between_the_list_and_the_stream(
        self, tmp_path: Path
    ) -> None:
        config = share_config(events=BOTH, max_age=0.0)
        async with shared_daemon(tmp_path, config=config) as shared, shared.greeted() as tool:
            tool.send(b"log on all\n")
            assert await shared.session.read_line() == b"log all"
            shared.session.send_lines(
                b">LOG:4,D,before", *LOG, b"4,D,before", b"END", b">LOG:5,,after"
            )
            await tool.read(
                lines(b"SUCCESS: real-time log notification set to ON", *LOG, b"4,D,before")
            )
            # The next line is in the list, or follows it.
            seen = await tool.read_line() + await tool.read_line()
            assert seen in {lines(b"5,,after", b"END"), lines(b"END", b">LOG:5,,after")}

    async def test_a_line_that_is_in_the_list_does_not_follow_it(self) -> None:
        shared = SharedSession()
        shared.share(60.0)
        assert await shared.fetch(Command.LOG_ALL) is None
        shared.open(SharedFacts(5, realtime=frozenset({"LOG"})), lambda: None)
        tool = Follower(ToolCommands(shared, lambda: share_config(events=BOTH)))
        shared.attach(tool)
        shared.record(Command.LOG_ALL, MultilineReply((b"1,,a",)))
        shared.notify(Notification("LOG", b"2,,b"))
        reply = await tool.commands.reply(["log", "on", "all"])
        shared.notify(Notification("LOG", b"3,,c"))
        await asyncio.sleep(0)
        assert reply.endswith(lines(b"1,,a", b"2,,b", b"END"))
        assert tool.lines == [lines(b">LOG:3,,c")]

    async def test_what_a_reload_does_not_share_any_more_ends(self) -> None:
        shared = SharedSession()
        shared.open(SharedFacts(5, realtime=frozenset({"STATE", "LOG"})), lambda: None)
        config = [share_config(events=BOTH)]
        commands = ToolCommands(shared, lambda: config[0])
        await commands.reply(["state", "on"])
        await commands.reply(["log", "on"])
        assert commands.realtime == {"STATE", "LOG"}
        config[0] = share_config(events=())
        assert commands.realtime == set()

    async def test_a_state_that_is_not_shared(self, tmp_path: Path) -> None:
        async with (
            shared_daemon(tmp_path, config=share_config(events=())) as shared,
            shared.greeted() as tool,
        ):
            assert await tool.ask(b"state on") == lines(
                b"ERROR: real-time state lines are not shared: add 'state' to 'share.events'"
            )
            assert await tool.ask(b"state off") == lines(
                b"SUCCESS: real-time state notification set to OFF"
            )
            assert await tool.ask(b"state") == lines(STATE, b"END")

    async def test_a_log_stream_that_the_exporter_does_not_have(self, tmp_path: Path) -> None:
        replies = with_(verb=(b"SUCCESS: verb=9",))
        async with (
            shared_daemon(tmp_path, replies=replies, config=share_config(events=BOTH)) as shared,
            shared.greeted() as tool,
        ):
            assert await tool.ask(b"log on") == lines(
                b"ERROR: the exporter has no real-time log lines of this daemon"
            )
            assert await answered(shared, tool, b"log all") == lines(b"END")

    async def test_nothing_is_in_real_time_behind_a_pass_through(self, tmp_path: Path) -> None:
        replies = with_(hold=(b"SUCCESS: hold release succeeded",))
        async with (
            shared_daemon(tmp_path, replies=replies, config=share_config(events=BOTH)) as shared,
            shared.greeted() as tool,
        ):
            for name in (b"state", b"log"):
                assert await tool.ask(name + b" on") == lines(
                    b"ERROR: the exporter has no real-time %b lines of this daemon" % name
                )
            assert await tool.ask(b"state") == lines(STATE, b"END")
            assert await tool.ask(b"status 3") == lines(*STATUS_3)
