"""The life of a tool's session: login, end, and the end of the session with the daemon."""

from pathlib import Path

import pytest

from exporter.management.endpoint import TcpEndpoint, UnixEndpoint
from exporter.sharing import tool as tool_module
from tests.fake_daemon import REPLIES, STATUS_1, free_port
from tests.sharing.harness import GREETING, connected, share_config, shared_daemon

PID = b"SUCCESS: pid=4711\r\n"
PROMPT = b"ENTER PASSWORD:"


def password_file(directory: Path) -> Path:
    path = directory / "share.password"
    path.write_text("s3cret\n")
    return path


class TestLogin:
    async def test_a_tool_has_to_send_the_password(self, tmp_path: Path) -> None:
        config = share_config(password_file=password_file(tmp_path))
        async with shared_daemon(tmp_path, config=config) as shared, shared.connect() as tool:
            await tool.read(PROMPT)
            tool.send(b"wrong\n")
            await tool.read(PROMPT)
            tool.send(b"s3cret\npid\n")
            await tool.read(b"SUCCESS: password is correct\r\n" + GREETING + PID)

    async def test_three_wrong_passwords_end_the_session(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tool_module, "LOGIN_DELAY", 0.0)
        config = share_config(password_file=password_file(tmp_path))
        async with shared_daemon(tmp_path, config=config) as shared, shared.connect() as tool:
            tool.send(b"a\nb\nc\npid\n")
            assert await tool.rest() == PROMPT
            assert shared.commands() == {}

    async def test_the_password_is_read_for_each_session(self, tmp_path: Path) -> None:
        path = password_file(tmp_path)
        config = share_config(password_file=path)
        async with shared_daemon(tmp_path, config=config) as shared:
            path.write_text("another\n")
            async with shared.connect() as tool:
                tool.send(b"another\npid\n")
                await tool.read(PROMPT + b"SUCCESS: password is correct\r\n" + GREETING + PID)

    async def test_no_tool_is_greeted_without_the_password_file(self, tmp_path: Path) -> None:
        path = password_file(tmp_path)
        config = share_config(password_file=path)
        async with shared_daemon(tmp_path, config=config) as shared:
            path.unlink()
            async with shared.connect() as tool:
                assert await tool.rest() == b""

    async def test_a_tool_that_does_not_log_in_is_disconnected(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tool_module, "LOGIN_TIMEOUT", 0.05)
        config = share_config(password_file=password_file(tmp_path))
        async with shared_daemon(tmp_path, config=config) as shared, shared.connect() as tool:
            assert await tool.rest() == PROMPT

    async def test_no_line_comes_before_the_login(self, tmp_path: Path) -> None:
        config = share_config(password_file=password_file(tmp_path))
        async with shared_daemon(tmp_path, config=config) as shared, shared.connect() as tool:
            await tool.read(PROMPT)
            shared.session.send_lines(b">FATAL:secret")
            shared.session.close()
            assert await tool.rest() == b""


class TestEnd:
    @pytest.mark.parametrize("command", [b"quit\n", b"exit\n"])
    async def test_quit_ends_the_session(self, command: bytes, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            tool.send(command)
            assert await tool.rest() == b""

    async def test_replies_come_after_a_half_close(self, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            tool.send(b"pid\nstatus 1\n")
            tool.send_eof()
            assert await shared.session.read_line() == b"status 1"
            shared.session.send_lines(*STATUS_1)
            assert await tool.rest() == PID + b"".join(line + b"\r\n" for line in STATUS_1)

    async def test_a_tool_that_leaves_gives_its_place_back(self, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path, config=share_config(max_clients=1)) as shared:
            for _ in range(3):
                async with shared.greeted() as tool:
                    async with shared.connect() as another:
                        assert await another.rest() == b""
                    tool.send(b"quit\n")
                    assert await tool.rest() == b""

    async def test_the_end_of_the_daemon_ends_all_sessions(self, tmp_path: Path) -> None:
        async with (
            shared_daemon(tmp_path) as shared,
            shared.greeted() as idle,
            shared.greeted() as waiting,
        ):
            waiting.send(b"status 1\n")
            assert await shared.session.read_line() == b"status 1"
            shared.session.send_lines(*STATUS_1[:3])
            shared.session.send_lines(b">FATAL:the end")
            shared.session.close()
            assert await idle.rest() == b">FATAL:the end\r\n"
            assert await waiting.rest() == b">FATAL:the end\r\n"
            async with shared.connect() as late:
                assert await late.rest() == b""
            session = await shared.daemon.accept_and_greet()
            async with shared.connect() as early:  # the first poll is not answered
                assert await early.rest() == b""
            await session.reply_to_polls()
            await shared.until_open()
            async with shared.greeted() as back:
                assert await back.ask(b"pid") == PID

    async def test_a_prompt_ends_all_sessions(self, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path) as shared, shared.greeted() as tool:
            shared.session.send_lines(b">HOLD:Waiting for hold release:0")
            assert await tool.rest() == b""
            await shared.session.wait_closed()

    async def test_a_command_that_is_not_answered_ends_all_sessions(self, tmp_path: Path) -> None:
        async with shared_daemon(tmp_path, deadline=0.2) as shared, shared.greeted() as tool:
            tool.send(b"status 1\n")
            assert await shared.session.read_line() == b"status 1"
            assert await tool.rest() == b""
            # The next poll finds the beginning of the next reply.
            await shared.session.reply_to_polls()
            await shared.until_open()
            async with shared.greeted() as back:
                assert await back.ask(b"pid") == PID


class TestPriority:
    async def test_a_poll_comes_before_the_commands_of_tools(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with (
            shared_daemon(tmp_path, config=share_config(max_age=0.0)) as shared,
            shared.greeted() as one,
            shared.greeted() as two,
            shared.greeted() as three,
        ):
            one.send(b"status 1\n")
            assert await shared.session.read_line() == b"status 1"
            two.send(b"verb\n")
            three.send(b"status 3\n")
            await shared.until_waiting(3)
            shared.monitor.reconfigure(shared.monitor.target)  # a poll at once
            shared.session.send_lines(*STATUS_1)
            assert await shared.session.read_line() == b"load-stats"
            shared.session.send_lines(*REPLIES[b"load-stats"])
            assert await shared.session.read_line() == b"status 3"
            shared.session.send_lines(*REPLIES[b"status 3"])
            assert (await three.read_line()).startswith(b"TITLE")
            assert await shared.session.read_line() == b"verb"
            shared.session.send_lines(*REPLIES[b"verb"])
            await two.read(b"SUCCESS: verb=3\r\n")
            assert shared.commands() == {
                ("status", "forwarded"): 1,
                ("status", "served"): 1,
                ("verb", "forwarded"): 1,
            }


class TestAddresses:
    async def test_tcp_and_unix_at_once(self, tmp_path: Path) -> None:
        addresses = (
            UnixEndpoint(str(tmp_path / "a.sock")),
            TcpEndpoint("127.0.0.1", free_port()),
            TcpEndpoint("::1", free_port()),
        )
        config = share_config(*addresses)
        async with shared_daemon(tmp_path, config=config):
            for address in addresses:
                async with connected(address) as tool:
                    await tool.read(GREETING)
                    assert await tool.ask(b"pid") == PID

    async def test_the_file_of_the_socket(self, tmp_path: Path) -> None:
        path = tmp_path / "tools.sock"
        async with shared_daemon(tmp_path):
            assert path.stat().st_mode & 0o777 == 0o660
        assert not path.exists()
