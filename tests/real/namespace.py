"""A network of our own for this process: one loopback device and nothing else.

Inside it every port is free, nothing reaches the machine's network, and tun devices may be made
and vanish with the process. It knows the kernel's calls and nothing of OpenVPN.
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
INTERFACE_REQUEST = struct.Struct("16sh14x")  # struct ifreq: a name and, for us, its flags


def current() -> str:
    """Name the network namespace that this process is in."""
    return str(Path("/proc/self/ns/net").readlink())


def enter() -> None:
    """Move this process into a new network namespace with ``lo`` up, for good.

    Without the right to do so it becomes root of a new user namespace first. Threads that run
    already stay behind (and forbid the latter), so call it while there is only one.

    Raises:
        OSError: The kernel refuses both ways, as a container without ``CAP_SYS_ADMIN`` may.
    """
    try:
        _unshare(CLONE_NEWNET)
    except PermissionError:
        _become_root_of_a_new_network()
    _bring_up("lo")


def _become_root_of_a_new_network() -> None:
    user, group = os.geteuid(), os.getegid()
    _unshare(CLONE_NEWUSER | CLONE_NEWNET)
    # The kernel takes a group map of an ordinary user only once setgroups is given up.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _unshare(flags: int) -> None:
    # os.unshare came with Python 3.12 only.
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace for real daemons: {os.strerror(number)}")


def _bring_up(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = INTERFACE_REQUEST.pack(interface.encode(), 0)
        name, flags = INTERFACE_REQUEST.unpack(fcntl.ioctl(control, SIOCGIFFLAGS, asked))
        fcntl.ioctl(control, SIOCSIFFLAGS, INTERFACE_REQUEST.pack(name, flags | IFF_UP))
