"""One visit to a daemon: ask everything once, and leave. For `check` and `once`."""

import asyncio
import time

import msgspec

from exporter.aio import run_in_daemon_thread
from exporter.certificates.source import certificate_sources
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.management.endpoint import ListenEndpoint
from exporter.management.errors import EndpointNotFound, ManagementError, PromptError
from exporter.management.messages import Notification
from exporter.management.notifications import parse_notification
from exporter.management.prompts import blocking_prompt
from exporter.management.replies import DaemonInfo
from exporter.monitor.client import ManagementClient
from exporter.monitor.password import read_management_password
from exporter.monitor.status_file import StatusFilePoller
from exporter.secret import Secret
from exporter.state.daemon import DaemonState
from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
from exporter.transport.status_file import StatusFile


class OneShotResult(msgspec.Struct, frozen=True):
    """What one visit found.

    `errors` say why it found less than everything: what ended the session, then what is wrong
    with the status file, which is only read where there is no session. `introduction` is there
    also where the daemon then refused to go on.
    """

    daemon: DaemonConfig
    state: DaemonState
    info: DaemonInfo | None
    seconds: float
    errors: tuple[ManagementError, ...]


async def poll_once(daemon: DaemonConfig, clients: ClientsConfig) -> OneShotResult:
    """Ask one daemon; each of its replies may take the daemon's `timeout`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    record = DaemonState(daemon, clients)
    refusal = await _refusal(daemon, clients, record)
    info = record.info
    if refusal is not None:
        record.on_poll_error(refusal)
        record.on_down(refusal)
    failure = await _failure(daemon, clients, record)
    await _read_certificates(daemon, record)
    errors = tuple(error for error in (refusal, failure) if error is not None)
    return OneShotResult(daemon, record, info, loop.time() - began, errors)


async def _refusal(
    daemon: DaemonConfig, clients: ClientsConfig, record: DaemonState
) -> ManagementError | None:
    """Ask by the management interface, if there is one; return why it told less than everything."""
    try:
        if daemon.management is not None:
            await _visit(daemon, clients, record)
    except ManagementError as error:
        return error
    return None


async def _failure(
    daemon: DaemonConfig, clients: ClientsConfig, record: DaemonState
) -> ManagementError | None:
    """Read the status file, if it is needed and there is one; return what is wrong with it."""
    if daemon.status_file is None or record.management_up:
        return None
    file = StatusFile(daemon.status_file, timeout=daemon.timeout)
    return await StatusFilePoller(daemon, record, file, routes=clients.routes).read()


async def _read_certificates(daemon: DaemonConfig, record: DaemonState) -> None:
    if files := certificate_sources(daemon):
        # A library that not everybody has, and few need, is loaded here at the earliest.
        from exporter.certificates.watch import CertificateFiles  # noqa: PLC0415

        record.set_certificates(await run_in_daemon_thread(CertificateFiles(files).read_all))


async def _visit(daemon: DaemonConfig, clients: ClientsConfig, record: DaemonState) -> None:
    if isinstance(daemon.management, ListenEndpoint):
        raise EndpointNotFound(
            f"{daemon.management}: not asked: this daemon dials in, and would end when we leave; "
            "'serve' keeps it"
        )
    password = await read_management_password(daemon)
    stream = await connector_for(daemon.management, timeout=daemon.timeout).connect()
    connection = Connection(stream, timeout=daemon.timeout)
    try:
        await _ask(connection, clients, record, password=password)
    finally:
        await connection.close()


async def _ask(
    connection: Connection, clients: ClientsConfig, record: DaemonState, *, password: Secret | None
) -> None:
    asides: list[PromptError] = []

    def notice(message: Notification) -> None:
        reading = parse_notification(message)
        record.on_notification(message.keyword, reading)
        reason = blocking_prompt(reading)
        if reason is not None:
            asides.append(reason)

    record.on_connect()
    connection.subscribe(notice)
    await connection.log_in(password)
    inquirer = ManagementClient(connection, routes=clients.routes, live=False)
    pid = await inquirer.identify()
    record.on_pid(pid)
    record.on_info(await inquirer.introduce(pid, record.on_state_history))
    if asides:
        raise asides[0]
    loop = asyncio.get_running_loop()
    asked = loop.time()
    poll = await inquirer.poll(record.on_status_received)
    record.on_poll(poll, now=time.time(), duration=loop.time() - asked)
