"""Sessions with daemons of the field, by the replies that operators have published."""

import json
from pathlib import Path

from exporter.management.state import Mode, StateName
from tests.fake_daemon import fake_daemon
from tests.monitor.harness import running_monitor

CASES = Path(__file__).parents[1] / "data" / "cases"


async def test_a_p2p_tunnel_of_2_3_may_work_in_the_state_wait() -> None:
    """It falls back to WAIT after a renegotiation, and stays there."""
    replies = {
        command.encode(): text.encode().splitlines()
        for command, text in json.loads((CASES / "p2p-2.3-wait.json").read_text()).items()
    }
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1, replies=replies)
        replies[b"status 3"] = [
            line.replace(b"read bytes,300", b"read bytes,340") for line in replies[b"status 3"]
        ]
        await session.reply_to_polls(2, replies=replies)
        assert state.up
        assert state.state
        assert state.state.name is StateName.WAIT
        assert state.mode is Mode.P2P
        assert state.version
        assert state.version.version == "2.3.10"
        assert state.tunnel.totals["tcp_udp_read"] == 40
        assert state.unparsed_lines == 0
