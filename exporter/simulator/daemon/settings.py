"""The configuration of a simulated daemon, and the OpenVPN release that it imitates."""

from dataclasses import dataclass

_BUILD = (
    "x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [PKCS11] [MH/PKTINFO] [AEAD] [DCO]"
)


@dataclass(frozen=True, slots=True)
class Release:
    """A release of the 2.6 line."""

    number: str = "2.6.14"

    @property
    def title(self) -> str:
        """The version text in `version`, `help` and the status."""
        return f"OpenVPN {self.number} {_BUILD}"

    @property
    def management_version(self) -> int:
        """The version of the management interface: 4 before 2.6.2, then 5."""
        return 4 if self.number in ("2.6.0", "2.6.1") else 5


RELEASE = Release()
"""The release of the recorded sessions that the tests compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration of a daemon in either mode.

    With `management_signal` it restarts whenever a management client disconnects.
    """

    pid: int = 4242
    release: Release = RELEASE
    verb: int = 3
    hold: bool = False
    log_cache: int = 250
    status_version: int = 1
    management_signal: bool = False
