"""How connections come in, before anybody knows what they ask for.

    address         where to listen, as exporters write it
    place           an address -> listening sockets and a URL
    activation      sockets that systemd hands over
    door            lets connections in, with TLS, up to a number
    guest           one connection, and how long it may take
    http            what is spoken over it

A client that is slow, silent or rude costs a bounded time, one of a bounded number of places, and
no line in the log.
"""

from exporter.web.listener.address import ListenAddress, parse_listen_address
from exporter.web.listener.listener import serve
from exporter.web.listener.sockets import BoundAddress, bind
from exporter.web.listener.systemd import listen_fds

__all__ = [
    "BoundAddress",
    "ListenAddress",
    "bind",
    "listen_fds",
    "parse_listen_address",
    "serve",
]
