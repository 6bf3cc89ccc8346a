"""The commands that throw clients out: `kill` and `client-kill`."""

import socket
from collections.abc import Callable

from exporter.simulator.daemon.daemon import Daemon, Unsupported
from exporter.simulator.management.commands.command import (
    Command,
    CommandError,
    Need,
    Reply,
    Words,
    number,
    parse,
    require,
)
from exporter.simulator.population.instance import Instance


def _kill(daemon: Daemon, words: Words) -> Reply:
    require(words, 1)
    if daemon.client_table is None:
        raise Unsupported
    # What follows a second colon is cut off: OpenVPN knows IPv4 only here.
    first, _, rest = words[1].partition(":")
    port = rest.partition(":")[0]
    if not first:
        raise CommandError("kill parse")
    if port:
        yield _kill_address(daemon, first, port)
    else:
        yield _kill_name(daemon, first)


def _kill_name(daemon: Daemon, name: str) -> str:
    killed = _kill_matching(daemon, lambda instance: instance.common_name == name)
    if not killed:
        raise CommandError(f"common name '{name}' not found")
    return f"SUCCESS: common name '{name}' found, {killed} client(s) killed"


def _kill_address(daemon: Daemon, host: str, port: str) -> str:
    try:
        address = socket.inet_ntoa(socket.inet_aton(host))  # takes 1.2.3 for 1.2.0.3, as OpenVPN
    except OSError:
        raise CommandError(f"error parsing IP address: {host}") from None
    if not 0 < number(port) < 65_536:
        raise CommandError(f"port number is out of range: {port}")
    wanted = f"{address}:{number(port)}"
    killed = _kill_matching(daemon, lambda instance: instance.real_address == wanted)
    if not killed:
        raise CommandError(f"client at address {wanted} not found")
    return f"SUCCESS: {killed} client(s) at address {wanted} killed"


def _kill_matching(daemon: Daemon, chosen: Callable[[Instance], bool]) -> int:
    instances = daemon.client_table.instances.values() if daemon.client_table else ()
    victims = [instance.client_id for instance in instances if chosen(instance)]
    return sum(daemon.kill(client_id) for client_id in victims)


def _client_kill(daemon: Daemon, words: Words) -> Reply:
    require(words, 1, Need.AT_LEAST)
    client_id = parse(words[1], "CID")
    if daemon.client_table is None:
        raise Unsupported
    if not daemon.kill(client_id):
        raise CommandError("client-kill command failed")
    yield "SUCCESS: client-kill command succeeded"


COMMANDS: dict[str, Command] = {
    "kill": _kill,
    "client-kill": _client_kill,
}
