"""The variables of a `>CLIENT:` block as `NAME=value`, in OpenVPN's order: the newest first."""

import hashlib
from dataclasses import dataclass

from exporter.simulator.daemon.status import local_time
from exporter.simulator.population.counter import activity_ticks
from exporter.simulator.population.instance import Instance

_CA_SERIAL = 664175131644719993780032568367762535069820930166


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonEnv:
    """The daemon's own values in an ENV block."""

    pid: int
    started: int
    verb: int
    port: int
    tcp: bool
    clients: int


def established(instance: Instance, daemon: DaemonEnv, *, now: int) -> list[str]:
    """Return the variables of a connected client."""
    return [
        f"n_clients={daemon.clients}",
        *_time(now),
        *_addresses(instance),
        *_transport("trusted", instance),
        f"common_name={instance.common_name}",
        *_authentication(instance),
        *_constant(instance, daemon),
    ]


def rejected(instance: Instance, daemon: DaemonEnv, *, now: int) -> list[str]:
    """Return the variables of a client that the `--client-connect` script rejected.

    The block is announced as established, too; `time_duration` in it marks the rejection.
    """
    return [
        f"n_clients={daemon.clients}",
        *_totals(instance, now),
        *_transport("trusted", instance),
        "script_type=client-connect",
        *_time(now),
        *_addresses(instance),
        f"common_name={instance.common_name}",
        *instance.identity.peer_info[::-1],
        *_transport("untrusted", instance),
        *_constant(instance, daemon),
    ]


def _addresses(instance: Instance) -> list[str]:
    return [
        "ifconfig_pool_ip6_netbits=64",
        "ifconfig_pool_local_ip6=fd00:8::1",
        f"ifconfig_pool_remote_ip6={instance.virtual_ipv6_address}",
        "ifconfig_pool_netmask=255.255.0.0",
        f"ifconfig_pool_remote_ip={instance.virtual_address}",
    ]


def _time(now: int) -> list[str]:
    return [f"time_unix={now}", f"time_ascii={local_time(now)}"]


def _totals(instance: Instance, now: int) -> list[str]:
    tick = activity_ticks(now)
    return [
        f"time_duration={now - instance.since}",
        f"bytes_sent={instance.sent.at(tick)}",
        f"bytes_received={instance.received.at(tick)}",
    ]


def _transport(trust: str, instance: Instance) -> list[str]:
    family = "6" if instance.identity.ipv6_transport else ""
    return [f"{trust}_port={instance.port}", f"{trust}_ip{family}={instance.identity.host}"]


def _authentication(instance: Instance) -> list[str]:
    """Return the variables set before the login; a client with a user name has more."""
    announced = instance.identity.peer_info[::-1]
    untrusted = _transport("untrusted", instance)
    if instance.username == Instance.UNDEF:
        return [*announced, *untrusted]
    token = _digest(f"{instance.client_id} {instance.since}", 16).hex()
    return [
        f"auth_failed_reason_file=/tmp/openvpn_afr_{token}.tmp",
        f"auth_pending_file=/tmp/openvpn_apf_{token}.tmp",
        f"auth_control_file=/tmp/openvpn_acf_{token}.tmp",
        "script_type=user-pass-verify",
        *untrusted,
        f"username={instance.username}",
        *announced,
    ]


def certificate_serial(common_name: str) -> int:
    """Return the serial number of a client's certificate."""
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


def _constant(instance: Instance, daemon: DaemonEnv) -> list[str]:
    """Return the variables of the certificates and of the daemon."""
    return [
        *_certificate(0, instance.common_name, certificate_serial(instance.common_name)),
        *_certificate(1, "Example Test CA", _CA_SERIAL),
        *_daemon(daemon),
    ]


def _daemon(daemon: DaemonEnv) -> list[str]:
    return [
        f"remote_port_1={daemon.port}",
        f"local_port_1={daemon.port}",
        "local_1=127.0.0.1",
        f"proto_1={'tcp4-server' if daemon.tcp else 'udp4'}",
        f"daemon_pid={daemon.pid}",
        f"daemon_start_time={daemon.started}",
        "daemon_log_redirect=0",
        "daemon=0",
        f"verb={daemon.verb}",
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
