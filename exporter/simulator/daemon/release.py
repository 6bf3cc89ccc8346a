"""The OpenVPN release a simulated daemon claims to be."""

from dataclasses import dataclass

_BUILD = (
    "x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [PKCS11] [MH/PKTINFO] [AEAD] [DCO]"
)


@dataclass(frozen=True, slots=True)
class Release:
    """A release of the 2.6 line, which is the one the simulator imitates."""

    number: str = "2.6.14"

    @property
    def title(self) -> str:
        """What the daemon calls itself in `version`, `help` and the status."""
        return f"OpenVPN {self.number} {_BUILD}"

    @property
    def management_version(self) -> int:
        """The version of the management interface: 4 before 2.6.2, then 5."""
        return 4 if self.number in ("2.6.0", "2.6.1") else 5


RELEASE = Release()
"""The one whose recorded sessions the simulator is held against."""
