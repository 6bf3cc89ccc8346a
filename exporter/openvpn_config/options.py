"""The options of OpenVPN that matter here, and which of several occurrences counts."""

from collections.abc import Iterable, Mapping

import msgspec

from exporter.openvpn_config.directives import Directive, without_dashes
from exporter.openvpn_config.errors import SyntaxProblem

_ARGUMENTS: Mapping[str, range] = {
    "auth": range(1, 2),
    "bind": range(2),
    "ca": range(1, 2),
    "cd": range(1, 2),
    "cert": range(1, 2),
    "chroot": range(1, 2),
    "client": range(1),
    "client-config-dir": range(1, 2),
    "config": range(1, 2),
    "connect-freq": range(2, 3),
    "connect-freq-initial": range(2, 3),
    "crl-verify": range(1, 3),
    "dev": range(1, 2),
    "dev-type": range(1, 2),
    "duplicate-cn": range(1),
    "ifconfig-ipv6-pool": range(1, 2),
    "ifconfig-pool": range(2, 4),
    "key-direction": range(1, 2),
    "local": range(1, 4),
    "lport": range(1, 2),
    "management": range(2, 4),
    "management-client": range(1),
    "management-client-auth": range(1),
    "management-client-group": range(1, 2),
    "management-client-user": range(1, 2),
    "management-external-cert": range(1, 2),
    "management-external-key": range(16),  # flags, up to the parameters that OpenVPN reads
    "management-forget-disconnect": range(1),
    "management-hold": range(1),
    "management-query-passwords": range(1),
    "management-query-proxy": range(1),
    "management-query-remote": range(1),
    "management-signal": range(1),
    "max-clients": range(1, 2),
    "mode": range(1, 2),
    "mute": range(1, 2),
    "port": range(1, 2),
    "proto": range(1, 2),
    "pull": range(1),
    "secret": range(1, 3),
    "server": range(2, 4),
    "server-bridge": range(5),
    "server-ipv6": range(1, 2),
    "status": range(1, 3),
    "status-version": range(1, 2),
    "tls-auth": range(1, 3),
    "tls-client": range(1),
    "tls-crypt": range(1, 3),  # OpenVPN ignores the second, a direction left of `tls-auth`
    "tls-crypt-v2": range(1, 3),
    "tls-crypt-v2-verify": range(1, 2),
    "topology": range(1, 2),
    "username-as-common-name": range(1),
    "verb": range(1, 2),
}
"""The number of arguments of each option; all other options are ignored."""

_INLINE = frozenset({"ca", "cert", "crl-verify", "secret", "tls-auth", "tls-crypt", "tls-crypt-v2"})
"""Options that may be written as `<name>` … `</name>`."""


class Options(msgspec.Struct, frozen=True):
    """The directives that matter, by name; the occurrences of each are in order, never empty."""

    occurrences: Mapping[str, tuple[Directive, ...]]

    def all(self, name: str) -> tuple[Directive, ...]:
        """Return every occurrence."""
        return self.occurrences.get(name, ())

    def last(self, name: str) -> Directive | None:
        """Return the occurrence that counts."""
        return self.occurrences[name][-1] if name in self.occurrences else None

    def argument(self, name: str) -> str | None:
        """Return the first argument of the occurrence that counts, None if it is inline."""
        last = self.last(name)
        return last.arguments[0] if last and last.arguments else None

    def __contains__(self, name: str) -> bool:
        return name in self.occurrences


def select(directives: Iterable[Directive]) -> Options:
    """Return the options that matter of a configuration.

    Raises:
        SyntaxProblem: an option has too many arguments, or too few, which OpenVPN refuses.
    """
    occurrences: dict[str, tuple[Directive, ...]] = {}
    ignorable: set[str] = set()
    for directive in directives:
        name = directive.name
        if name == "ignore-unknown-option":
            ignorable.update(map(without_dashes, directive.arguments))
        elif name not in _ARGUMENTS:
            continue
        elif _has_valid_arguments(directive):
            occurrences[name] = (*occurrences.get(name, ()), directive)
        elif not (directive.optional or name in ignorable):
            text = f"`{name}` has too few or too many arguments, which OpenVPN refuses"
            raise SyntaxProblem(directive.location, text)
    return Options(occurrences)


def _has_valid_arguments(directive: Directive) -> bool:
    if directive.inline is not None:
        return directive.name in _INLINE
    return len(directive.arguments) in _ARGUMENTS[directive.name]
