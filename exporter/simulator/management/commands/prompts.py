"""The commands that answer what a daemon client_auth for: credentials, tokens, signatures."""

from exporter.simulator.daemon.daemon import Daemon, Unsupported
from exporter.simulator.daemon.prompt import Prompt
from exporter.simulator.management.commands.command import (
    Command,
    CommandError,
    Need,
    Reply,
    Words,
    number,
    require,
)


def _enter(what: str) -> Command:
    """Return the command that enters one kind of answer."""

    def command(daemon: Daemon, words: Words) -> Reply:
        require(words, 2)
        kind, answer = words[1:3]
        prompt = _wanted(daemon, what, kind)
        yield f"SUCCESS: '{kind}' {what} entered, but not yet verified"
        prompt.enter(what, answer)

    return command


def _wanted(daemon: Daemon, what: str, kind: str) -> Prompt:
    prompt = daemon.prompt
    if prompt is None or what not in prompt.question.needs:
        raise CommandError(f"no {what} is currently needed at this time")
    if kind != prompt.question.kind:
        raise CommandError(
            f"{what} of type '{kind}' entered, but we need one of type '{prompt.question.kind}'"
        )
    return prompt


def _forget_passwords(daemon: Daemon, words: Words) -> Reply:
    yield "SUCCESS: Passwords were forgotten"


def _cr_response(daemon: Daemon, words: Words) -> Reply:
    require(words, 1)
    if daemon.remotes is None:
        raise Unsupported("cr-repsonse")  # OpenVPN's own spelling
    yield "SUCCESS: command succeeded"


def _pkcs11_id_count(daemon: Daemon, words: Words) -> Reply:
    yield ">PKCS11ID-COUNT:0"


def _pkcs11_id_get(daemon: Daemon, words: Words) -> Reply:
    require(words, 1)
    yield f">PKCS11ID-ENTRY:'{number(words[1])}'"


def _signature(daemon: Daemon, words: Words) -> Reply:
    raise CommandError(f"The {words[0]} command is not currently available")


def _remote(daemon: Daemon, words: Words) -> Reply:
    require(words, 1, Need.AT_LEAST)
    if daemon.remotes is None:
        raise Unsupported
    raise CommandError("remote command failed")  # nobody asked


def _proxy(daemon: Daemon, words: Words) -> Reply:
    require(words, 1, Need.AT_LEAST)
    if daemon.remotes is None:
        raise Unsupported
    if words[1] != "NONE" and not (words[1] == "SOCKS" and len(words) > 3):
        raise CommandError("proxy command failed")
    yield "SUCCESS: proxy command succeeded"


COMMANDS: dict[str, Command] = {
    "username": _enter("username"),
    "password": _enter("password"),
    "forget-passwords": _forget_passwords,
    "needok": _enter("needok-confirmation"),
    "needstr": _enter("needstr-string"),
    "cr-response": _cr_response,
    "pkcs11-id-count": _pkcs11_id_count,
    "pkcs11-id-get": _pkcs11_id_get,
    "rsa-sig": _signature,
    "pk-sig": _signature,
    "certificate": _signature,
    "remote": _remote,
    "proxy": _proxy,
}
