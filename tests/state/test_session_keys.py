"""The keys of sessions as numbers: each has its own, and tables of them are quick."""

import itertools

from exporter.state.session_keys import id_key

START = 1_795_161_600
LAST = 253_402_300_799
"""The end of the year 9999."""


def test_each_session_has_a_key_of_its_own() -> None:
    ids, times = (0, 1, 2, 2**32 - 1, 2**63 - 1), (0, 1, START, START + 1, LAST)
    keys = {id_key(client_id, since) for client_id, since in itertools.product(ids, times)}
    assert len(keys) == len(ids) * len(times)


def test_keys_of_clients_that_connected_at_once_differ_in_their_lowest_bits() -> None:
    """Python's sets and dictionaries begin to search there."""
    keys = {id_key(client_id, START) for client_id in range(10_000)}
    assert len({hash(key) & 0x3FFF for key in keys}) == 10_000
