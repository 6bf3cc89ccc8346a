"""The addresses a server gives to its clients, and the peer ids: the lowest free one first."""

import heapq
from ipaddress import IPv4Address, IPv6Address

FIRST_IPV4 = IPv4Address("10.8.0.2")
FIRST_IPV6 = IPv6Address("fd00:8::1000")


class IdAllocator:
    """IdAllocator from 0, the lowest free one first."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._next = 0

    def allocate(self) -> int:
        """Return the lowest number not in use."""
        if self._free:
            return heapq.heappop(self._free)
        self._next += 1
        return self._next - 1

    def release(self, number: int) -> None:
        """Let a number be taken again."""
        heapq.heappush(self._free, number)


def virtual_address(index: int) -> str:
    """Return the IPv4 address at `index` of the pool."""
    return str(FIRST_IPV4 + index)


def virtual_ipv6_address(index: int) -> str:
    """Return the IPv6 address at `index` of the pool."""
    return str(FIRST_IPV6 + index)
