"""The listening sockets, and the connections that they accept.

    sockets         listen addresses, bound sockets, sockets that systemd passes
    listener        accepts connections, with TLS, up to a limit
    connection      one connection: HTTP with timeouts

A slow, silent or hostile client costs a limited time, one connection of a limited number, and no
line in the log.
"""

from exporter.web.listener.listener import serve
from exporter.web.listener.sockets import (
    BoundAddress,
    ListenAddress,
    bind,
    listen_fds,
    parse_listen_address,
)

__all__ = [
    "BoundAddress",
    "ListenAddress",
    "bind",
    "listen_fds",
    "parse_listen_address",
    "serve",
]
