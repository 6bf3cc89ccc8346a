"""The size of a server's address pool, as OpenVPN computes it from its options.

With topology net30 each client needs four addresses. Defaults and bounds depend on the version, so
the size is known once the daemon's version is, or if all versions agree.
"""

import bisect
import ipaddress
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from exporter.openvpn_config.options import Options

_EPOCHS = ((0, 0, 0), (2, 5, 0), (2, 5, 5), (2, 7, 0))
"""The first versions that compute the size as they do: IPv6 counts, one address more, `subnet`."""

_MAX_IPV6_SIZE = 1 << 16
_SMALL_IPV6_BITS = 112

_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")

_IPV4 = ipaddress.IPv4Address

_Epoch = tuple[int, int, int]
_V = TypeVar("_V")


class AddressPool(msgspec.Struct, frozen=True):
    """The number of clients that the pool can serve, by epoch of OpenVPN; None: there is none."""

    sizes: tuple[int | None, ...]

    def size(self, version: str | None) -> int | None:
        """Return the size for a version (`2.6.14`), None if there is no pool or it is unknown."""
        found = _VERSION.match(version or "")
        if found is None:
            return self.sizes[0] if len(set(self.sizes)) == 1 else None
        numbers = tuple(int(number or 0) for number in found.groups())
        return self.sizes[bisect.bisect_right(_EPOCHS, numbers) - 1]


def address_pool(selected: Options) -> AddressPool | None:
    """Return the pool of a server's options, None if it has none or its addresses are invalid."""
    sizes = tuple(_size(selected, epoch) for epoch in _EPOCHS)
    return AddressPool(sizes) if any(sizes) else None


def _size(selected: Options, epoch: _Epoch) -> int | None:
    """Return the smaller of both pools; before 2.5 the one of IPv4 was decisive."""
    ipv4 = _ipv4_size(selected, epoch)
    if epoch < (2, 5, 0):
        return ipv4
    return min(filter(None, (ipv4, _ipv6_size(selected))), default=None)


def _ipv4_size(selected: Options, epoch: _Epoch) -> int | None:
    is_tap = _is_tap(selected)
    topology = selected.argument("topology") or ("subnet" if epoch >= (2, 7, 0) else "net30")
    bounds = _ipv4_bounds(selected, epoch, "subnet" if is_tap else topology, is_tap=is_tap)
    if bounds is None:
        return None
    first, last = bounds
    if is_tap or topology != "net30":
        return max(0, last - first + 1) or None
    return max(0, (last | 3) + 1 - (first & ~3)) >> 2 or None


def _ipv4_bounds(
    selected: Options, epoch: _Epoch, topology: str, *, is_tap: bool
) -> tuple[int, int] | None:
    """Return the first and the last address."""
    server = _arguments(selected, "server")
    if server and "nopool" not in server[2:]:
        network, netmask = (_parsed(text, _IPV4) for text in server[:2])
        if network is None or netmask is None:
            return None
        last = int(network) | ~int(netmask) & 0xFFFFFFFF
        if topology == "subnet":
            return int(network) + 2, last - (1 if is_tap or epoch >= (2, 5, 5) else 2)
        return int(network) + 4, last - (0 if last - int(network) == 7 else 4)  # noqa: PLR2004
    bridge = _arguments(selected, "server-bridge")
    range_ = bridge[2:] or _arguments(selected, "ifconfig-pool")[:2]
    addresses = [int(address) for text in range_ if (address := _parsed(text, _IPV4))]
    return (addresses[0], addresses[1]) if len(addresses) == 2 else None  # noqa: PLR2004


def _ipv6_size(selected: Options) -> int | None:
    """Return the number of addresses from the first one on, at most the limit of OpenVPN."""
    server = selected.argument("server-ipv6")
    interface = _parsed(server or selected.argument("ifconfig-ipv6-pool"), ipaddress.IPv6Interface)
    if interface is None:
        return None
    bits = interface.network.prefixlen
    if bits < _SMALL_IPV6_BITS:
        return _MAX_IPV6_SIZE
    host = int(interface.ip) - int(interface.network.network_address) + (2 if server else 0)
    return (1 << (128 - bits)) - (host or 1)  # the first address is the anycast one


def _is_tap(selected: Options) -> bool:
    kind = selected.argument("dev-type") or selected.argument("dev") or "tun"
    return kind.startswith("tap")


def _arguments(selected: Options, name: str) -> tuple[str, ...]:
    last = selected.last(name)
    return last.arguments if last else ()


def _parsed(text: str | None, parse: Callable[[str], _V]) -> _V | None:
    """Return an address; None for a missing or invalid one, or a host name."""
    try:
        return None if text is None else parse(text)
    except ValueError:
        return None
