"""One visit to a daemon: ask everything once, and leave. For `check` and `once`."""

import asyncio
import time

import msgspec

from exporter.aio import run_in_daemon_thread
from exporter.certificates.source import sources
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.management.endpoint import ListenEndpoint
from exporter.management.errors import ManagementError, NotFound, SteppedAside
from exporter.management.messages import Notification
from exporter.management.notifications import parse_notification
from exporter.management.prompts import reason_to_leave
from exporter.management.replies import Introduction
from exporter.monitor.client import Inquirer
from exporter.monitor.password import read_management_password
from exporter.monitor.status_file import FilePolls
from exporter.secret import Secret
from exporter.state.daemon import Record
from exporter.transport.connection import Connection
from exporter.transport.connector import opener
from exporter.transport.status_file import StatusFile


class Answer(msgspec.Struct, frozen=True):
    """What one visit found.

    `errors` say why it found less than everything: what ended the session, then what is wrong
    with the status file, which is only read where there is no session. `introduction` is there
    also where the daemon then refused to go on.
    """

    daemon: DaemonConfig
    record: Record
    introduction: Introduction | None
    seconds: float
    errors: tuple[ManagementError, ...]


async def ask_once(daemon: DaemonConfig, clients: ClientsConfig) -> Answer:
    """Ask one daemon; each of its replies may take the daemon's `timeout`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    record = Record(daemon, clients)
    refusal = await _refusal(daemon, clients, record)
    introduction = record.introduction
    if refusal is not None:
        record.poll_failed(refusal)
        record.went_down(refusal)
    failure = await _failure(daemon, clients, record)
    await _read_certificates(daemon, record)
    errors = tuple(error for error in (refusal, failure) if error is not None)
    return Answer(daemon, record, introduction, loop.time() - began, errors)


async def _refusal(
    daemon: DaemonConfig, clients: ClientsConfig, record: Record
) -> ManagementError | None:
    """Ask by the management interface, if there is one; return why it told less than everything."""
    try:
        if daemon.management is not None:
            await _visit(daemon, clients, record)
    except ManagementError as error:
        return error
    return None


async def _failure(
    daemon: DaemonConfig, clients: ClientsConfig, record: Record
) -> ManagementError | None:
    """Read the status file, if it is needed and there is one; return what is wrong with it."""
    if daemon.status_file is None or record.management_up:
        return None
    file = StatusFile(daemon.status_file, timeout=daemon.timeout)
    return await FilePolls(daemon, record, file, routes=clients.routes).read()


async def _read_certificates(daemon: DaemonConfig, record: Record) -> None:
    if files := sources(daemon):
        # A library that not everybody has, and few need, is loaded here at the earliest.
        from exporter.certificates.watch import Files  # noqa: PLC0415

        record.certified(await run_in_daemon_thread(Files(files).look))


async def _visit(daemon: DaemonConfig, clients: ClientsConfig, record: Record) -> None:
    if isinstance(daemon.management, ListenEndpoint):
        raise NotFound(
            f"{daemon.management}: not asked: this daemon dials in, and would end when we leave; "
            "'serve' keeps it"
        )
    password = await read_management_password(daemon)
    stream = await opener(daemon.management, timeout=daemon.timeout).open()
    connection = Connection(stream, timeout=daemon.timeout)
    try:
        await _ask(connection, clients, record, password=password)
    finally:
        await connection.close()


async def _ask(
    connection: Connection, clients: ClientsConfig, record: Record, *, password: Secret | None
) -> None:
    asides: list[SteppedAside] = []

    def notice(message: Notification) -> None:
        reading = parse_notification(message)
        record.noticed(message.source, reading)
        reason = reason_to_leave(reading)
        if reason is not None:
            asides.append(reason)

    record.opened()
    connection.subscribe(notice)
    await connection.log_in(password)
    inquirer = Inquirer(connection, routes=clients.routes, live=False)
    pid = await inquirer.identify()
    record.identified(pid)
    record.introduced(await inquirer.introduce(pid, record.remembered))
    if asides:
        raise asides[0]
    loop = asyncio.get_running_loop()
    asked = loop.time()
    poll = await inquirer.poll(record.status_arrived)
    record.polled(poll, now=time.time(), duration=loop.time() - asked)
