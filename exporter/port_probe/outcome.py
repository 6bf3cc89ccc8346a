"""The results of a probe."""

import enum


class Outcome(enum.StrEnum):
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
