"""What contradicts the sharing of a daemon, in its own keys and in others."""

from collections.abc import Iterator

from exporter.config.errors import Problem
from exporter.config.schema import Config, DaemonConfig, PrivacyMode, SlotPolicy
from exporter.config.share import ShareConfig
from exporter.management.endpoint import TcpEndpoint, is_loopback


def check_shares(config: Config) -> Iterator[Problem]:
    """Yield each problem of `share`, with the path of its key."""
    addresses = {
        str(daemon.management): f"daemons[{index}].management"
        for index, daemon in enumerate(config.daemons)
    }
    for index, daemon in enumerate(config.daemons):
        if daemon.share is None:
            continue
        path = f"daemons[{index}].share"
        for key, text in _contradictions(config, daemon, daemon.share):
            yield Problem(key=f"{path}{key}", text=text)
        for address in map(str, daemon.share.listen):
            key = f"{path}.listen"
            if (first := addresses.setdefault(address, key)) != key:
                text = f"{address} is already used at {first}: use another"
                yield Problem(key=key, text=text)


def _contradictions(
    config: Config, daemon: DaemonConfig, share: ShareConfig
) -> Iterator[tuple[str, str]]:
    """Yield the key below `share` and the text of each problem of one daemon."""
    if daemon.management is None:
        yield "", "needs the daemon's management interface: set management, or remove share"
    if daemon.slot is SlotPolicy.RELEASE:
        text = (
            "needs slot: hold: with release there is no session between polls, and the daemon "
            "serves other tools itself"
        )
        yield "", text
    if not share.listen:
        yield ".listen", "has no address: add one"
    privacy = daemon.privacy or config.clients.privacy
    if privacy is not PrivacyMode.PLAIN and not share.plain:
        text = (
            f"would show all names and addresses in spite of privacy: {privacy}: remove it, or "
            "set plain: true"
        )
        yield "", text
    for address in share.listen:
        is_open = isinstance(address, TcpEndpoint) and not is_loopback(address.host)
        if is_open and share.password_file is None:
            text = f"{address} can be reached by other hosts: set password_file"
            yield ".listen", text
