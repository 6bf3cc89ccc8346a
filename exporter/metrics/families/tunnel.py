"""A tunnel in client or point-to-point mode: its statistics, accumulated over reconnects."""

from exporter.metrics.family import Family, counter, single
from exporter.state.daemon import DaemonState


def _family(field: str, name: str, text: str) -> Family:
    def total(daemon: DaemonState) -> int | None:
        return daemon.tunnel.totals.get(field)

    return counter(f"openvpn_client_{name}_bytes_total", text, lambda daemon: single(total(daemon)))


FAMILIES = (
    _family("tun_tap_read", "tun_tap_read", "Bytes read from the tunnel device."),
    _family("tun_tap_write", "tun_tap_write", "Bytes written to the tunnel device."),
    _family("tcp_udp_read", "tcp_udp_read", "Bytes received from the peer on the link."),
    _family("tcp_udp_write", "tcp_udp_write", "Bytes sent to the peer on the link."),
    _family("auth_read", "auth_read", "Decrypted and authenticated bytes received."),
    _family("pre_compress", "pre_compress", "Bytes before compression."),
    _family("post_compress", "post_compress", "Bytes after compression."),
    _family("pre_decompress", "pre_decompress", "Bytes before decompression."),
    _family("post_decompress", "post_decompress", "Bytes after decompression."),
)
