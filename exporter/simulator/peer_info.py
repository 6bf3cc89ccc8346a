"""What a client says about itself and what a server knows of it: `IV_*` and the ENV block."""

import hashlib
from dataclasses import dataclass

from exporter.simulator.instance import Instance
from exporter.simulator.status import local_time

_AUTHORITY_SERIAL = 664175131644719993780032568367762535069820930166
_ENV_FILTER_KEEPS = (
    "X509_0_CN",
    "tls_serial_",
    "untrusted_ip",
    "ifconfig_local",
    "ifconfig_netmask",
    "ifconfig_pool_remote_ip",
    "ifconfig_pool_netmask",
    "daemon_start_time",
    "daemon_pid",
    "dev",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the ENV block says about the daemon itself."""

    pid: int
    started: int
    verb: int
    port: int
    tcp: bool


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


def environment(instance: Instance, host: Host, *, now: int, connected: int) -> list[str]:
    """Return the variables of an instance as `NAME=value`, newest first, as `>CLIENT:ENV` has them.

    They hold no password.
    """
    return [
        f"n_clients={connected}",
        f"time_unix={now}",
        f"time_ascii={local_time(now)}",
        *_addresses(instance),
        f"common_name={instance.common_name}",
        *_transport("untrusted", instance),
        *_user(instance),
        *reversed(peer_info(instance)),
        *_certificate(0, instance.common_name, _serial(instance.common_name)),
        *_certificate(1, "Example Test CA", _AUTHORITY_SERIAL),
        *_daemon(host),
    ]


def filtered(variables: list[str], level: int) -> list[str]:
    """Return what `env-filter` leaves: 1 keeps all of the certificate, 2 little else.

    Level 0 keeps all.
    """
    if level == 0:
        return variables
    keeps = (*_ENV_FILTER_KEEPS, "X509_") if level == 1 else _ENV_FILTER_KEEPS
    return [variable for variable in variables if _kept(variable, keeps)]


def _kept(variable: str, keeps: tuple[str, ...]) -> bool:
    name = variable.partition("=")[0]
    return any(name == keep or (keep.endswith("_") and name.startswith(keep)) for keep in keeps)


def _addresses(instance: Instance) -> list[str]:
    return [
        "ifconfig_pool_ip6_netbits=64",
        "ifconfig_pool_local_ip6=fd00:8::1",
        f"ifconfig_pool_remote_ip6={instance.virtual_ipv6_address}",
        "ifconfig_pool_netmask=255.255.0.0",
        f"ifconfig_pool_remote_ip={instance.virtual_address}",
        *_transport("trusted", instance),
    ]


def _transport(trust: str, instance: Instance) -> list[str]:
    family = "6" if instance.identity.ipv6_transport else ""
    return [f"{trust}_port={instance.port}", f"{trust}_ip{family}={instance.identity.host}"]


def _user(instance: Instance) -> list[str]:
    return [] if instance.username == Instance.UNDEF else [f"username={instance.username}"]


def _serial(common_name: str) -> int:
    return int.from_bytes(_digest(common_name, 20))


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2s(text.encode("utf-8", "surrogateescape"), digest_size=size).digest()


def _certificate(depth: int, common_name: str, serial: int) -> list[str]:
    return [
        f"tls_serial_hex_{depth}={serial.to_bytes(20).hex(':')}",
        f"tls_serial_{depth}={serial}",
        f"tls_digest_sha256_{depth}={_digest(common_name, 32).hex(':')}",
        f"tls_digest_{depth}={_digest(common_name, 20).hex(':')}",
        f"tls_id_{depth}=CN={common_name}",
        f"X509_{depth}_CN={common_name}",
    ]


def _daemon(host: Host) -> list[str]:
    return [
        f"remote_port_1={host.port}",
        f"local_port_1={host.port}",
        "local_1=127.0.0.1",
        f"proto_1={'tcp4-server' if host.tcp else 'udp4'}",
        f"daemon_pid={host.pid}",
        f"daemon_start_time={host.started}",
        "daemon_log_redirect=0",
        "daemon=0",
        f"verb={host.verb}",
        "ifconfig_local=10.8.0.1",
        "ifconfig_netmask=255.255.0.0",
        "ifconfig_ipv6_local=fd00:8::1",
        "ifconfig_ipv6_netbits=64",
        "ifconfig_ipv6_remote=fd00:8::2",
        "script_context=init",
        "tun_mtu=1500",
        "dev=tun0",
        "dev_type=tun",
        "redirect_gateway=0",
    ]
