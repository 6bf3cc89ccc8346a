"""A network namespace for this process, with a loopback device and nothing else.

Inside it every port is free, nothing reaches the machine's network, and tun devices can be
created and disappear with the process.
"""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
INTERFACE_REQUEST = struct.Struct("16sh14x")  # struct ifreq: a name and its flags


def current() -> str:
    """Return the name of the network namespace of this process."""
    return str(Path("/proc/self/ns/net").readlink())


def enter() -> None:
    """Move this process into a new network namespace with ``lo`` up, permanently.

    Without the permission, the process first becomes root of a new user namespace. Running
    threads stay in the old namespace and prevent a user namespace: call this with one thread.

    Raises:
        OSError: The kernel refuses both, as in some containers without ``CAP_SYS_ADMIN``.
    """
    try:
        _unshare(CLONE_NEWNET)
    except PermissionError:
        _become_root_of_a_new_network()
    _bring_up("lo")


def _become_root_of_a_new_network() -> None:
    user, group = os.geteuid(), os.getegid()
    _unshare(CLONE_NEWUSER | CLONE_NEWNET)
    # The kernel accepts an unprivileged group map only after setgroups is denied.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _unshare(flags: int) -> None:
    # os.unshare needs Python 3.12.
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace for real daemons: {os.strerror(number)}")


def _bring_up(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = INTERFACE_REQUEST.pack(interface.encode(), 0)
        name, flags = INTERFACE_REQUEST.unpack(fcntl.ioctl(control, SIOCGIFFLAGS, request))
        fcntl.ioctl(control, SIOCSIFFLAGS, INTERFACE_REQUEST.pack(name, flags | IFF_UP))
