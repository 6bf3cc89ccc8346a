"""A server's log messages about a client: texts, flags and verbosity of OpenVPN 2.6."""

from collections.abc import Callable, Iterator

from exporter.simulator.daemon.history import LogEntry
from exporter.simulator.population.instance import Instance, InstanceEvent

_CA_NAME = "Example Test CA"
_TLS = (
    "Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384, peer certificate: 2048 "
    "bits RSA, signature: RSA-SHA256, peer temporary key: 253 bits X25519"
)


def log_entries(event: InstanceEvent, instance: Instance, *, tcp: bool) -> Iterator[LogEntry]:
    """Yield the log entries of an event, in their order."""
    if event is InstanceEvent.OPENED:
        if tcp:
            yield LogEntry(1, "I", f"TCP connection established with {instance.peer}")
        return
    yield from _WRITERS[event](instance)
    if tcp and event in (InstanceEvent.HANDSHAKE_TIMED_OUT, InstanceEvent.CERTIFICATE_REJECTED):
        yield LogEntry(
            1, "N", f"{instance.log_address} Fatal TLS error (check_tls_errors_co), restarting"
        )
    if event in _EXIT_MESSAGES:
        yield LogEntry(3, "", _EXIT_MESSAGES[event].format(_prefix(instance)))


_REPLACES = (
    "MULTI: new connection by client '{}' will cause previous active sessions by this client to "
    "be dropped.  Remember to use the --duplicate-cn option if you want multiple clients using "
    "the same certificate or username to concurrently connect."
)
_TLS_ERROR = "{} SIGUSR1[soft,tls-error] received, client-instance restarting"
_PING_RESTART = "{} SIGUSR1[soft,ping-restart] received, client-instance restarting"
_EXIT_MESSAGES = {
    InstanceEvent.DELAYED_EXIT: "{} SIGTERM[soft,delayed-exit] received, client-instance exiting",
    InstanceEvent.PING_TIMED_OUT: _PING_RESTART,
    InstanceEvent.HANDSHAKE_TIMED_OUT: _TLS_ERROR,
    InstanceEvent.CERTIFICATE_REJECTED: _TLS_ERROR,
}


def _prefix(instance: Instance) -> str:
    return instance.log_name if instance.connected else instance.log_address


def _established(instance: Instance) -> Iterator[LogEntry]:
    address, cn = instance.log_address, instance.common_name
    yield from _verified(instance)
    for variable in instance.identity.peer_info:
        yield LogEntry(1, "I", f"{address} peer info: {variable}")
    if instance.username != Instance.UNDEF:
        yield LogEntry(
            2,
            "",
            f"{address} TLS: Username/Password authentication succeeded for username "
            f"'{instance.username}' ",
        )
    yield LogEntry(3, "", f"{address} {_TLS}")
    yield LogEntry(1, "I", f"{address} [{cn}] Peer Connection Initiated with {instance.peer}")
    yield from _assigned(instance)


def _assigned(instance: Instance) -> Iterator[LogEntry]:
    name, prefix = instance.log_name, f"{instance.log_name} "
    if instance.replaces:
        prefix = ""  # OpenVPN loses the client's name here
        yield LogEntry(3, "", _REPLACES.format(instance.common_name))
    v4, v6 = instance.virtual_address, instance.virtual_ipv6_address
    yield LogEntry(1, "I", f"{prefix}MULTI_sva: pool returned IPv4={v4}, IPv6={v6}")
    yield LogEntry(3, "", f"{prefix}MULTI: Learn: {v4} -> {name}")
    yield LogEntry(3, "", f"{prefix}MULTI: primary virtual IP for {name}: {v4}")
    yield LogEntry(3, "", f"{prefix}MULTI: Learn: {v6} -> {name}")
    yield LogEntry(3, "", f"{prefix}MULTI: primary virtual IPv6 for {name}: {v6}")
    push = _push_reply(instance)
    yield LogEntry(3, "", f"{prefix}SENT CONTROL [{instance.common_name}]: '{push}' (status=1)")


def _verified(instance: Instance) -> Iterator[LogEntry]:
    address = instance.log_address
    yield LogEntry(2, "", f"{address} VERIFY OK: depth=1, CN={_CA_NAME}")
    yield LogEntry(2, "", f"{address} VERIFY OK: depth=0, CN={instance.common_name}")


def _push_reply(instance: Instance) -> str:
    return (
        "PUSH_REPLY,tun-ipv6,route-gateway 10.8.0.1,topology subnet,ping 10,ping-restart 60,"
        f"ifconfig-ipv6 {instance.virtual_ipv6_address}/64 fd00:8::1,"
        f"ifconfig {instance.virtual_address} 255.255.0.0,peer-id {instance.peer_id},"
        f"cipher {instance.cipher},protocol-flags cc-exit tls-ekm dyn-tls-crypt,tun-mtu 1500"
    )


def _exit_notified(instance: Instance) -> Iterator[LogEntry]:
    yield LogEntry(1, "N", f"{instance.log_name} CC-EEN exit message received by peer")
    yield LogEntry(3, "", f"{instance.log_name} Delayed exit in 5 seconds")


def _ping_timed_out(instance: Instance) -> Iterator[LogEntry]:
    name = instance.log_name
    yield LogEntry(
        1,
        "I",
        f"{name} [{instance.common_name}] Inactivity timeout (--ping-restart), restarting",
    )


def _password_rejected(instance: Instance) -> Iterator[LogEntry]:
    address, cn = instance.log_address, instance.common_name
    yield from _verified(instance)
    yield LogEntry(
        1, "N", f"{address} TLS Auth Error: Auth Username/Password verification failed for peer"
    )
    yield LogEntry(3, "", f"{address} Delayed exit in 5 seconds")
    yield LogEntry(3, "", f"{address} SENT CONTROL [UNDEF]: 'AUTH_FAILED' (status=1)")
    yield LogEntry(3, "", f"{address} SENT CONTROL [{cn}]: 'AUTH_FAILED' (status=1)")
    yield LogEntry(3, "", f"{address} {_TLS}")
    # OpenVPN logs this, too: the handshake is complete, only the password was wrong.
    yield LogEntry(1, "I", f"{address} [{cn}] Peer Connection Initiated with {instance.peer}")


def _handshake_timed_out(instance: Instance) -> Iterator[LogEntry]:
    address = instance.log_address
    yield LogEntry(
        1,
        "N",
        f"{address} TLS Error: TLS key negotiation failed to occur within 60 seconds "
        "(check your network connectivity)",
    )
    yield LogEntry(1, "N", f"{address} TLS Error: TLS handshake failed")


def _certificate_rejected(instance: Instance) -> Iterator[LogEntry]:
    address = instance.log_address
    yield LogEntry(
        1,
        "N",
        f"{address} VERIFY ERROR: depth=0, error=unable to get local issuer certificate: "
        "CN=mallory, serial=499235320439984857081158204589311320736339708716",
    )
    yield LogEntry(3, "", f"{address} Sent fatal SSL alert: unknown CA")
    yield LogEntry(
        1, "N", f"{address} OpenSSL: error:0A000086:SSL routines::certificate verify failed:"
    )
    yield LogEntry(1, "N", f"{address} TLS_ERROR: BIO read tls_read_plaintext error")
    yield LogEntry(1, "N", f"{address} TLS Error: TLS object -> incoming plaintext read error")
    yield LogEntry(1, "N", f"{address} TLS Error: TLS handshake failed")


def _script_rejected(instance: Instance) -> Iterator[LogEntry]:
    address, name, cn = instance.log_address, instance.log_name, instance.common_name
    yield from _verified(instance)
    yield LogEntry(1, "I", f"{address} [{cn}] Peer Connection Initiated with {instance.peer}")
    yield LogEntry(
        0,
        "W",
        f"{name} WARNING: Failed running command (--client-connect): external program exited "
        "with error status: 1",
    )
    yield LogEntry(3, "", f"{name} Delayed exit in 5 seconds")
    yield LogEntry(3, "", f"{name} SENT CONTROL [{cn}]: 'AUTH_FAILED' (status=1)")


def _floated(instance: Instance) -> Iterator[LogEntry]:
    peer = f"peer {instance.peer_id} ({instance.common_name})"
    yield LogEntry(4, "", f"{peer} floated from {instance.floated_from} to {instance.peer}")


def _nothing(instance: Instance) -> Iterator[LogEntry]:
    return iter(())


_WRITERS: dict[InstanceEvent, Callable[[Instance], Iterator[LogEntry]]] = {
    InstanceEvent.ESTABLISHED: _established,
    InstanceEvent.FLOATED: _floated,
    InstanceEvent.SCRIPT_REJECTED: _script_rejected,
    InstanceEvent.EXIT_NOTIFIED: _exit_notified,
    InstanceEvent.DELAYED_EXIT: _nothing,
    InstanceEvent.PING_TIMED_OUT: _ping_timed_out,
    InstanceEvent.PASSWORD_REJECTED: _password_rejected,
    InstanceEvent.HANDSHAKE_TIMED_OUT: _handshake_timed_out,
    InstanceEvent.CERTIFICATE_REJECTED: _certificate_rejected,
}
