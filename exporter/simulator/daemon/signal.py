"""The signals a daemon understands."""

from enum import StrEnum


class Signal(StrEnum):
    """What `signal` accepts."""

    SIGHUP = "SIGHUP"
    SIGTERM = "SIGTERM"
    SIGUSR1 = "SIGUSR1"
    SIGUSR2 = "SIGUSR2"
    SIGINT = "SIGINT"
