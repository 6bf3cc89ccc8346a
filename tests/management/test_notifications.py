"""Real-time messages of every kind that OpenVPN 2.1 to 2.7 can send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.messages import Notification
from exporter.management.notifications import (
    KEYWORDS,
    AnswerNeeded,
    AuthToken,
    ByteCount,
    ClientAddress,
    ClientByteCount,
    ClientEvent,
    Echo,
    Fatal,
    Greeting,
    Hold,
    InfoMessage,
    LogLine,
    Notify,
    ParsedNotification,
    PasswordFailed,
    PasswordRequest,
    Pkcs11Id,
    StateChange,
    UnknownNotification,
    UpDown,
    parse_log,
    parse_notification,
)
from exporter.management.state import State, StateName

KINDS: list[tuple[str, str, ParsedNotification]] = [
    ("INFO", "OpenVPN Management Interface Version 5 -- type 'help' for more info", Greeting(5)),
    ("INFO", "OpenVPN Management Interface Version 1 -- type 'help' for more info", Greeting(1)),
    ("INFO", "something else", Greeting(None)),
    ("LOG", "1795404638,,a, b", LogLine(1795404638, "", "a, b")),
    ("LOG", "1795404638,NW,TLS Error", LogLine(1795404638, "NW", "TLS Error")),
    (
        "STATE",
        "1795404829,EXITING,SIGTERM,,,,,",
        StateChange(State(1795404829, StateName.EXITING, "SIGTERM")),
    ),
    ("ECHO", "1795404638,forget-passwords", Echo(1795404638)),
    ("BYTECOUNT", "3005,18446744073709551615", ByteCount(3005, 2**64 - 1)),
    ("BYTECOUNT_CLI", "7,3005,3148", ClientByteCount(7, 3005, 3148)),
    ("HOLD", "Waiting for hold release", Hold()),
    ("HOLD", "Waiting for hold release:10", Hold()),
    ("FATAL", "TCP/UDP: Socket bind failed", Fatal("TCP/UDP: Socket bind failed")),
    ("PASSWORD", "Need 'Auth' username/password", PasswordRequest("Auth")),
    ("PASSWORD", "Need 'Auth' username/password SC:1,PIN?", PasswordRequest("Auth")),
    ("PASSWORD", "Need 'Auth' username", PasswordRequest("Auth")),
    ("PASSWORD", "Need 'Private Key' password", PasswordRequest("Private Key")),
    ("PASSWORD", "Verification Failed: 'Auth'", PasswordFailed("Auth")),
    ("PASSWORD", "Verification Failed: 'Auth' ['CRV1:R:s3cret:u:?']", PasswordFailed("Auth")),
    ("PASSWORD", "Verification Failed: 'Private Key'", PasswordFailed("Private Key")),
    ("PASSWORD", "Auth-Token:s3cret", AuthToken()),
    ("NEED-OK", "Need 'token-insertion-request' confirmation MSG:x", AnswerNeeded("NEED-OK")),
    ("NEED-STR", "Need 'name' string MSG:x", AnswerNeeded("NEED-STR")),
    ("NEED-CERTIFICATE", "macosx-keychain:subject:o=x", AnswerNeeded("NEED-CERTIFICATE")),
    ("RSA_SIGN", "U0VDUkVU", AnswerNeeded("RSA_SIGN")),
    ("PK_SIGN", "U0VDUkVU,RSA_PKCS1_PADDING", AnswerNeeded("PK_SIGN")),
    ("REMOTE", "vpn.example,1194,udp", AnswerNeeded("REMOTE")),
    ("PROXY", "1,UDP,vpn.example", AnswerNeeded("PROXY")),
    ("UPDOWN", "UP", UpDown(up=True)),
    ("UPDOWN", "DOWN", UpDown(up=False)),
    ("NOTIFY", "info,remote-exit,EXIT", Notify("info", "remote-exit")),
    ("NOTIFY", "info,server-pushed-halt,a, b", Notify("info", "server-pushed-halt")),
    ("INFOMSG", "WEB_AUTH::https://s3cret", InfoMessage()),
    ("PKCS11ID-COUNT", "0", Pkcs11Id()),
    ("PKCS11ID-ENTRY", "'0', ID:'a', BLOB:'b'", Pkcs11Id()),
    ("CLIENT", "ESTABLISHED,3", ClientEvent("ESTABLISHED", 3, {})),
    ("CLIENT", "CONNECT,3,1", ClientEvent("CONNECT", 3, {})),
    ("CLIENT", "REAUTH,3,1", ClientEvent("REAUTH", 3, {})),
    ("CLIENT", "DISCONNECT,3", ClientEvent("DISCONNECT", 3, {})),
    ("CLIENT", "CR_RESPONSE,3,1,U0VDUkVU", ClientEvent("CR_RESPONSE", 3, {})),
    ("CLIENT", "ADDRESS,3,10.8.0.2,1", ClientAddress(3, "10.8.0.2")),
]
MALFORMED = [
    ("INFO", f"OpenVPN Management Interface Version {'9' * 30}"),
    ("LOG", "now,,x"),
    ("LOG", "1795404638,x"),
    ("STATE", "1795404829"),
    ("ECHO", "x"),
    ("BYTECOUNT", "1"),
    ("BYTECOUNT", "1,-2"),
    ("BYTECOUNT_CLI", "1,2"),
    ("PASSWORD", "s3cret"),
    ("UPDOWN", "SIDEWAYS"),
    ("NOTIFY", "info"),
    ("CLIENT", "ESTABLISHED"),
    ("CLIENT", "ESTABLISHED,x"),
    ("CLIENT", "ADDRESS,3"),
    ("CLIENT", "s3cret,3"),
    ("NEW-IN-3", "s3cret"),
]


def read(keyword: str, payload: str, *env: bytes) -> ParsedNotification:
    return parse_notification(Notification(keyword, payload.encode(), env))


@pytest.mark.parametrize(("keyword", "payload", "parsed"), KINDS)
def test_each_kind_is_parsed(keyword: str, payload: str, parsed: ParsedNotification) -> None:
    assert read(keyword, payload) == parsed


def test_every_keyword_is_tested() -> None:
    assert {keyword for keyword, _, _ in KINDS} == KEYWORDS


@pytest.mark.parametrize(("keyword", "payload"), MALFORMED)
def test_a_malformed_payload_is_an_unknown_notification(keyword: str, payload: str) -> None:
    assert read(keyword, payload) == UnknownNotification(keyword)


@pytest.mark.parametrize(("keyword", "payload"), [*((s, p) for s, p, _ in KINDS), *MALFORMED])
def test_no_parsed_notification_shows_a_secret(keyword: str, payload: str) -> None:
    text = repr(read(keyword, payload))
    assert "s3cret" not in text
    assert "U0VDUkVU" not in text


def test_a_log_line_and_the_variables_of_a_client_are_not_shown() -> None:
    assert "s3cret" not in repr(read("LOG", "1795404638,,s3cret"))
    assert "s3cret" not in repr(read("CLIENT", "CONNECT,3,1", b"x=s3cret"))


def test_env_variables_are_clean_text_by_name() -> None:
    parsed = read("CLIENT", "ESTABLISHED,3", b"IV_VER=2.6\x07", b"a=b=c", b"\xff=1", b"no value")
    assert isinstance(parsed, ClientEvent)
    assert parsed.env == {"IV_VER": r"2.6\x07", "a": "b=c", r"\xff": "1", "no value": ""}


def test_the_fatal_text_is_clean_and_bounded() -> None:
    parsed = read("FATAL", "\x1b[2J" + "x" * 10_000)
    assert isinstance(parsed, Fatal)
    assert parsed.text.startswith(r"\x1b[2J")
    assert len(parsed.text) == 128


def test_an_unknown_keyword_is_bounded() -> None:
    assert len(repr(read("X" * 10_000, ""))) < 100


def test_a_line_of_the_log_cache_is_parsed_like_a_message() -> None:
    assert parse_log("1795404638,I,a,b,c") == LogLine(1795404638, "I", "a,b,c")


@pytest.mark.parametrize("line", ["", "1795404638", "1795404638,I", "x,I,text", ",,"])
def test_an_invalid_log_line_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"number|values"):
        parse_log(line)


@given(
    keyword=st.sampled_from(sorted(KEYWORDS)) | st.text(),
    payload=st.binary(),
    env=st.lists(st.binary()),
)
def test_any_payload_gives_a_parsed_notification(
    keyword: str, payload: bytes, env: list[bytes]
) -> None:
    assert parse_notification(Notification(keyword, payload, tuple(env))) is not None
