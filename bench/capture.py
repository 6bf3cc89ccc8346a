"""The reply to `status 3` of a simulated daemon, as bytes."""

import socket

_END = b"\nEND\r\n"
_TIMEOUT = 30.0


def capture_status(address: str) -> bytes:
    """Ask the daemon at `address` for its status; the greeting is left out, `END` is in."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT) as connection:
        with connection.makefile("rb") as answers:
            answers.readline()
        connection.sendall(b"status 3\n")
        reply = bytearray()
        while not reply.endswith(_END):
            data = connection.recv(1 << 20)
            if not data:
                raise ConnectionError(f"{address} hung up within its status")
            reply += data
        connection.sendall(b"quit\n")
    return bytes(reply)
