"""The results of a probe, and the reasons not to send one."""

import enum

import msgspec


class ProbeOutcome(enum.StrEnum):
    """The result of one probe."""

    ANSWERED = "answered"
    ANSWERED_WITHOUT_KEY = "answered_without_key"
    """A server without tls-auth and tls-crypt, although the packet was wrapped with a key."""
    INVALID_ANSWER = "invalid_answer"
    """Something else answers, or the answer has another key."""
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    """A TCP server closed the connection without an answer, as OpenVPN does after a wrong key."""
    NAME_NOT_RESOLVED = "name_not_resolved"


class SkipReason(enum.StrEnum):
    """Why a probe that is due is not sent: it could harm the daemon, or can't be sent."""

    VERSION_UNKNOWN = "version_unknown"
    """The daemon's version is not known: it is down, or its first poll is pending."""
    LEAVES_TRACES = "leaves_traces"
    """The daemon is older than 2.6, and `allow_traces` is not set."""
    MAX_CLIENTS = "max_clients"
    """The daemon's `max-clients` is nearly reached."""
    CONNECT_FREQ = "connect_freq"
    """The daemon's limit of new connections was reached since the last probe, or is very low."""
    EXPORTER_LIMIT = "exporter_limit"
    """The exporter has no file descriptor or no thread left."""


class ProbeResult(msgspec.Struct, frozen=True):
    """The outcome of a probe, and its duration in seconds; the lookup of the name is not in it."""

    outcome: ProbeOutcome
    seconds: float
