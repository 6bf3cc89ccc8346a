"""One visit to a daemon: ask everything once, and leave. For `check` and `once`."""

import asyncio
import functools
import time

import msgspec

from exporter.config.password import read_password
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.daemon.courtesy import reason_to_leave
from exporter.daemon.poll import Inquirer, Introduction
from exporter.daemon.record import Record
from exporter.management.endpoint import ListenEndpoint
from exporter.management.errors import (
    ManagementError,
    NotFound,
    PasswordUnreadable,
    SteppedAside,
)
from exporter.management.messages import Notification
from exporter.management.notifications import parse_notification
from exporter.management.secret import Secret
from exporter.threads import in_thread
from exporter.transport.connection import Connection
from exporter.transport.opening import opener


class Answer(msgspec.Struct, frozen=True):
    """What one visit found; `error` says why it found less than everything.

    `introduction` is there also where the daemon then refused to go on.
    """

    daemon: DaemonConfig
    record: Record
    introduction: Introduction | None
    seconds: float
    error: ManagementError | None


async def ask_once(daemon: DaemonConfig, clients: ClientsConfig) -> Answer:
    """Ask one daemon; each of its replies may take the daemon's `timeout`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    record = Record(daemon, clients)
    error = None
    introduction = None
    try:
        await _visit(daemon, clients, record)
        introduction = record.introduction
    except ManagementError as failure:
        error = failure
        introduction = record.introduction
        record.poll_failed(failure)
        record.went_down(failure)
    return Answer(daemon, record, introduction, loop.time() - began, error)


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


async def read_management_password(daemon: DaemonConfig) -> Secret | None:
    """Read the password of a daemon, None where it has none.

    Raises:
        PasswordUnreadable: its file can't be used.
    """
    if daemon.password_file is None:
        return None
    try:
        return await in_thread(functools.partial(read_password, daemon.password_file))
    except ValueError as error:
        raise PasswordUnreadable(str(error)) from error
