"""The lines of a reply that is not complete."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from exporter.management.reply_lines import ReplyLines


@given(st.lists(st.lists(st.binary(max_size=4), min_size=1, max_size=9), max_size=9))
def test_lines_are_kept_in_order(parts: list[list[bytes]]) -> None:
    reply, lines = ReplyLines(), list[bytes]()
    for part in parts:
        reply.extend(part * 500)
        lines += part * 500
    assert reply.join() == tuple(lines)
    assert len(reply) == len(lines)
    assert reply.size == len(b"".join(lines))
    assert reply.first == (lines[0] if lines else b"")


def test_the_garbage_collector_looks_at_few_of_many_lines() -> None:
    reply = ReplyLines()
    for number in range(100):
        reply.extend([b"%d" % number] * 1000)
    gc.collect()
    assert not any(map(gc.is_tracked, reply._full))
    assert len(reply._full) == 50
