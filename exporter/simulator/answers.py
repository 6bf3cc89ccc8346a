"""The commands that answer what a daemon asks for: credentials, tokens, signatures."""

from exporter.simulator.command import Command, CommandError, Need, Reply, Words, number, require
from exporter.simulator.daemon import Daemon, Unsupported
from exporter.simulator.prompt import KIND, Prompt


def _username(daemon: Daemon, words: Words) -> Reply:
    require(words, 2)
    prompt = _wanted(daemon, words, "username")
    yield f"SUCCESS: '{words[1]}' username entered, but not yet verified"
    prompt.answer(username=words[2])


def _password(daemon: Daemon, words: Words) -> Reply:
    require(words, 2)
    prompt = _wanted(daemon, words, "password")
    yield f"SUCCESS: '{words[1]}' password entered, but not yet verified"
    prompt.answer(password=words[2])


def _wanted(daemon: Daemon, words: Words, what: str) -> Prompt:
    if daemon.prompt is None:
        raise CommandError(f"no {what} is currently needed at this time")
    if words[1] != KIND:
        raise CommandError(f"{what} of type '{words[1]}' entered, but we need one of type '{KIND}'")
    return daemon.prompt


def _forget_passwords(daemon: Daemon, words: Words) -> Reply:
    yield "SUCCESS: Passwords were forgotten"


def _needok(daemon: Daemon, words: Words) -> Reply:
    require(words, 2)
    raise CommandError("no needok-confirmation is currently needed at this time")


def _needstr(daemon: Daemon, words: Words) -> Reply:
    require(words, 2)
    raise CommandError("no needstr-string is currently needed at this time")


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


def _override(daemon: Daemon, words: Words) -> Reply:
    """`remote` and `proxy`: nobody asked, so they fail."""
    require(words, 1, Need.AT_LEAST)
    if daemon.remotes is None:
        raise Unsupported
    raise CommandError(f"{words[0]} command failed")


COMMANDS: dict[str, Command] = {
    "username": _username,
    "password": _password,
    "forget-passwords": _forget_passwords,
    "needok": _needok,
    "needstr": _needstr,
    "cr-response": _cr_response,
    "pkcs11-id-count": _pkcs11_id_count,
    "pkcs11-id-get": _pkcs11_id_get,
    "rsa-sig": _signature,
    "pk-sig": _signature,
    "certificate": _signature,
    "remote": _override,
    "proxy": _override,
}
