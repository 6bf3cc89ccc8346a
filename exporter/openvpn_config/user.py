"""Whom this process runs as, by name: OpenVPN may admit only one user to its management socket."""

import os
import pwd


def running_user() -> str:
    """Return the name of the effective user, or its number where it has no name."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
