"""What a client announces about itself: `IV_*`."""

from exporter.simulator.population.instance import Instance


def peer_info(instance: Instance) -> list[str]:
    """Return what the client announces, oldest first, as `IV_NAME=value`."""
    identity = instance.identity
    return [
        f"IV_VER={identity.client_version}",
        f"IV_PLAT={identity.platform}",
        "IV_TCPNL=1",
        "IV_MTU=1600",
        "IV_NCP=2",
        "IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305",
        "IV_PROTO=990",
        "IV_LZO_STUB=1",
        "IV_COMP_STUB=1",
        "IV_COMP_STUBv2=1",
    ]
