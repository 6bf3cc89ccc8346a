from tests.simulator.console import raw_console
from tests.simulator.scripted_peer import (
    GREETING,
    hang_up,
    scripted_peer,
    stop_in_the_middle,
    talk,
)


async def test_it_hangs_up_without_a_byte() -> None:
    async with scripted_peer(hang_up) as address, raw_console(address) as client:
        assert await client.rest() == b""


async def test_it_says_what_it_is_to_say() -> None:
    async with scripted_peer(talk(b"HTTP/1.1 400\r\n")) as address, raw_console(address) as client:
        assert await client.line() == "HTTP/1.1 400"


async def test_it_begins_to_answer_the_command_it_waits_for() -> None:
    script = stop_in_the_middle(b"status 3", b"TITLE\tOpenVPN")
    async with scripted_peer(script) as address, raw_console(address) as client:
        assert (await client.line()).encode() + b"\r\n" == GREETING
        client.send("pid", "status 3")
        client.writer.write_eof()
        assert await client.rest() == b"TITLE\tOpenVPN"
