"""What a server writes into its log about a client: OpenVPN 2.6's words, flags and verbosity."""

from collections.abc import Callable, Iterator

from exporter.simulator.daemon.journal import Entry
from exporter.simulator.daemon.peer_info import peer_info
from exporter.simulator.population.event import Event
from exporter.simulator.population.instance import Instance

_AUTHORITY = "Example Test CA"
_TLS = (
    "Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384, peer certificate: 2048 "
    "bits RSA, signature: RSA-SHA256, peer temporary key: 253 bits X25519"
)


def chronicle(event: Event, instance: Instance, *, tcp: bool) -> Iterator[Entry]:
    """Yield the log lines that an event leaves behind, in their order."""
    if event is Event.OPENED:
        if tcp:
            yield Entry(1, "I", f"TCP connection established with {instance.peer}")
        return
    yield from _CHAPTERS[event](instance)
    if tcp and event in (Event.HANDSHAKE_TIMED_OUT, Event.CERTIFICATE_REJECTED):
        yield Entry(
            1, "N", f"{instance.log_address} Fatal TLS error (check_tls_errors_co), restarting"
        )
    if event in _ENDINGS:
        yield Entry(3, "", _ENDINGS[event].format(_prefix(instance)))


_REPLACES = (
    "MULTI: new connection by client '{}' will cause previous active sessions by this client to "
    "be dropped.  Remember to use the --duplicate-cn option if you want multiple clients using "
    "the same certificate or username to concurrently connect."
)
_ENDINGS = {
    Event.DELAYED_EXIT: "{} SIGTERM[soft,delayed-exit] received, client-instance exiting",
    Event.PING_TIMED_OUT: "{} SIGUSR1[soft,ping-restart] received, client-instance restarting",
    Event.HANDSHAKE_TIMED_OUT: "{} SIGUSR1[soft,tls-error] received, client-instance restarting",
    Event.CERTIFICATE_REJECTED: "{} SIGUSR1[soft,tls-error] received, client-instance restarting",
}


def _prefix(instance: Instance) -> str:
    return instance.log_name if instance.connected else instance.log_address


def _established(instance: Instance) -> Iterator[Entry]:
    address, cn = instance.log_address, instance.common_name
    yield from _verified(instance)
    for variable in peer_info(instance):
        yield Entry(1, "I", f"{address} peer info: {variable}")
    if instance.username != Instance.UNDEF:
        yield Entry(
            2,
            "",
            f"{address} TLS: Username/Password authentication succeeded for username "
            f"'{instance.username}' ",
        )
    yield Entry(3, "", f"{address} {_TLS}")
    yield Entry(1, "I", f"{address} [{cn}] Peer Connection Initiated with {instance.peer}")
    yield from _settled(instance)


def _settled(instance: Instance) -> Iterator[Entry]:
    name, prefix = instance.log_name, f"{instance.log_name} "
    if instance.replaces:
        prefix = ""  # from here on OpenVPN has lost the client's name
        yield Entry(3, "", _REPLACES.format(instance.common_name))
    v4, v6 = instance.virtual_address, instance.virtual_ipv6_address
    yield Entry(1, "I", f"{prefix}MULTI_sva: pool returned IPv4={v4}, IPv6={v6}")
    yield Entry(3, "", f"{prefix}MULTI: Learn: {v4} -> {name}")
    yield Entry(3, "", f"{prefix}MULTI: primary virtual IP for {name}: {v4}")
    yield Entry(3, "", f"{prefix}MULTI: Learn: {v6} -> {name}")
    yield Entry(3, "", f"{prefix}MULTI: primary virtual IPv6 for {name}: {v6}")
    push = _push_reply(instance)
    yield Entry(3, "", f"{prefix}SENT CONTROL [{instance.common_name}]: '{push}' (status=1)")


def _verified(instance: Instance) -> Iterator[Entry]:
    address = instance.log_address
    yield Entry(2, "", f"{address} VERIFY OK: depth=1, CN={_AUTHORITY}")
    yield Entry(2, "", f"{address} VERIFY OK: depth=0, CN={instance.common_name}")


def _push_reply(instance: Instance) -> str:
    return (
        "PUSH_REPLY,tun-ipv6,route-gateway 10.8.0.1,topology subnet,ping 10,ping-restart 60,"
        f"ifconfig-ipv6 {instance.virtual_ipv6_address}/64 fd00:8::1,"
        f"ifconfig {instance.virtual_address} 255.255.0.0,peer-id {instance.peer_id},"
        f"cipher {instance.cipher},protocol-flags cc-exit tls-ekm dyn-tls-crypt,tun-mtu 1500"
    )


def _exit_notified(instance: Instance) -> Iterator[Entry]:
    yield Entry(1, "N", f"{instance.log_name} CC-EEN exit message received by peer")
    yield Entry(3, "", f"{instance.log_name} Delayed exit in 5 seconds")


def _ping_timed_out(instance: Instance) -> Iterator[Entry]:
    name = instance.log_name
    yield Entry(
        1,
        "I",
        f"{name} [{instance.common_name}] Inactivity timeout (--ping-restart), restarting",
    )


def _password_rejected(instance: Instance) -> Iterator[Entry]:
    address, cn = instance.log_address, instance.common_name
    yield from _verified(instance)
    yield Entry(
        1, "N", f"{address} TLS Auth Error: Auth Username/Password verification failed for peer"
    )
    yield Entry(3, "", f"{address} Delayed exit in 5 seconds")
    yield Entry(3, "", f"{address} SENT CONTROL [UNDEF]: 'AUTH_FAILED' (status=1)")
    yield Entry(3, "", f"{address} SENT CONTROL [{cn}]: 'AUTH_FAILED' (status=1)")
    yield Entry(3, "", f"{address} {_TLS}")
    # Not a slip: the handshake is complete, only the password was wrong.
    yield Entry(1, "I", f"{address} [{cn}] Peer Connection Initiated with {instance.peer}")


def _handshake_timed_out(instance: Instance) -> Iterator[Entry]:
    address = instance.log_address
    yield Entry(
        1,
        "N",
        f"{address} TLS Error: TLS key negotiation failed to occur within 60 seconds "
        "(check your network connectivity)",
    )
    yield Entry(1, "N", f"{address} TLS Error: TLS handshake failed")


def _certificate_refused(instance: Instance) -> Iterator[Entry]:
    address = instance.log_address
    yield Entry(
        1,
        "N",
        f"{address} VERIFY ERROR: depth=0, error=unable to get local issuer certificate: "
        "CN=mallory, serial=499235320439984857081158204589311320736339708716",
    )
    yield Entry(3, "", f"{address} Sent fatal SSL alert: unknown CA")
    yield Entry(
        1, "N", f"{address} OpenSSL: error:0A000086:SSL routines::certificate verify failed:"
    )
    yield Entry(1, "N", f"{address} TLS_ERROR: BIO read tls_read_plaintext error")
    yield Entry(1, "N", f"{address} TLS Error: TLS object -> incoming plaintext read error")
    yield Entry(1, "N", f"{address} TLS Error: TLS handshake failed")


def _script_refused(instance: Instance) -> Iterator[Entry]:
    address, name, cn = instance.log_address, instance.log_name, instance.common_name
    yield from _verified(instance)
    yield Entry(1, "I", f"{address} [{cn}] Peer Connection Initiated with {instance.peer}")
    yield Entry(
        0,
        "W",
        f"{name} WARNING: Failed running command (--client-connect): external program exited "
        "with error status: 1",
    )
    yield Entry(3, "", f"{name} Delayed exit in 5 seconds")
    yield Entry(3, "", f"{name} SENT CONTROL [{cn}]: 'AUTH_FAILED' (status=1)")


def _floated(instance: Instance) -> Iterator[Entry]:
    who = f"peer {instance.peer_id} ({instance.common_name})"
    yield Entry(4, "", f"{who} floated from {instance.floated_from} to {instance.peer}")


def _nothing(instance: Instance) -> Iterator[Entry]:
    return iter(())


_CHAPTERS: dict[Event, Callable[[Instance], Iterator[Entry]]] = {
    Event.ADMISSION_ASKED: _nothing,
    Event.ESTABLISHED: _established,
    Event.FLOATED: _floated,
    Event.SCRIPT_REJECTED: _script_refused,
    Event.EXIT_NOTIFIED: _exit_notified,
    Event.DELAYED_EXIT: _nothing,
    Event.PING_TIMED_OUT: _ping_timed_out,
    Event.PASSWORD_REJECTED: _password_rejected,
    Event.HANDSHAKE_TIMED_OUT: _handshake_timed_out,
    Event.CERTIFICATE_REJECTED: _certificate_refused,
}
