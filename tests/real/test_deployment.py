"""The exporter's reading of configuration files, compared with OpenVPN's, printed at verb 4."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from exporter.management.state import Mode
from exporter.openvpn_config import Inline, OpenVpnConfig, includes, options
from exporter.openvpn_config.errors import OpenVpnConfigError
from exporter.openvpn_config.model import parse_number, read
from tests.real.daemon import OPENVPN, version
from tests.real.lab import Lab

# A pid file that cannot be written ends the daemon right after it has printed its options.
ENDING = ("--verb", "4", "--suppress-timestamps", "--writepid", "/dev/full")
PRINTED = re.compile(r"^  (\w+) = (?:'(.*?)'|(\S+))$", re.MULTILINE | re.DOTALL)
ENDED = "Close error on pid file"
UNIX = 256
"""The bit of `management_flags` for a Unix socket."""

MANAGEMENT = b"management 127.0.0.1 7505\n"
IGNORE = b"ignore-unknown-option "

FILES = {
    "plain": b"management 127.0.0.1 7505",
    "quotes": b"\"management\" '127.0.0.1' \"7505\" 'pass word'",
    "backslashes": rb"management 127.0.0.1 7505 pass\ word",
    "a backslash before the line end": b"management 127.0.0.1 7505\\\n\n",
    "dashes": b"--management 127.0.0.1 7505\n--max-clients 3",
    "comments": b"#management a 1\n;management b 2\nmanagement 127.0.0.1 7505 # x\nstatus a#b;c",
    "blanks": b" \t management\v127.0.0.1\f 7505 \r",
    "carriage returns": b"management 127.0.0.1 7505\r\nmax-clients 3\r\n",
    "a byte order mark": b"\xef\xbb\xbfmanagement 127.0.0.1 7505",
    "a byte order mark later": MANAGEMENT
    + IGNORE
    + b"\xef\xbb\xbfmax-clients\n\xef\xbb\xbfmax-clients 3",
    "the last counts": b"management 127.0.0.1 1\nmanagement ::1 2\nstatus a\nstatus b 5",
    "a password stays": b"management 127.0.0.1 1 'pass word'\nmanagement ::1 2",
    "a socket stays a socket": b"management a.sock unix\nmanagement ::1 2",
    "a relative socket": b"management a.sock unix\nstatus-version 3",
    "setenv opt": b"setenv opt management 127.0.0.1 7505\nsetenv opt max-clients 3",
    "setenv opt that is wrong": MANAGEMENT + b"setenv opt max-clients 3 4 5",
    "setenv opt alone": MANAGEMENT + b"setenv opt",
    "setenv-safe": MANAGEMENT + b"setenv-safe management 9\nsetenv max-clients 4",
    "ignored": MANAGEMENT + b"ignore-unknown-option max-clients new\nmax-clients\nnew 1",
    "wrong arguments": MANAGEMENT + b"max-clients",
    "too many arguments": MANAGEMENT + b"max-clients 3 4",
    "ignored with dashes": MANAGEMENT + IGNORE + b"--max-clients\nmax-clients",
    "three dashes": MANAGEMENT + IGNORE + b"-max-clients\n---max-clients 4",
    "no closing quotation mark": b'management "127.0.0.1 7505',
    "a bad backslash": rb"management c:\x 7505",
    "255 bytes": MANAGEMENT + b"#" * 254 + b"\nmax-clients 3",
    "256 bytes": MANAGEMENT + b"#" * 255 + b"\nmax-clients 3",
    "255 bytes at the end": MANAGEMENT + b"config 255",
    "256 bytes at the end": MANAGEMENT + b"config 256",
    "a NUL": MANAGEMENT + b'max-clients 3\0 4 5 "\nstatus a\0b',
    "a word that is too long": MANAGEMENT + b"x" * 257,
    "seventeen words": MANAGEMENT + IGNORE + b"x" + b" x" * 14 + b' "open\nmax-clients 3',
    "an include": b"config include\nmax-clients 4",
    "an include with another": b"max-clients 4\nconfig 'other include'",
    "a loop": MANAGEMENT + b"config loop",
    "ten levels": MANAGEMENT + b"config level2",
    "eleven levels": MANAGEMENT + b"config level1",
    "a missing include": MANAGEMENT + b"config missing",
    "cd before an include": b"cd deeper\nconfig include\nstatus s",
    "cd there and back": b"cd deeper\nconfig include\ncd ..\nstatus s",
    "a block that isn't closed": MANAGEMENT + b"<connection>\nremote 127.0.0.1",
    "a block that can't be one": b"<management>\n127.0.0.1 7505\n</management>",
    "push": MANAGEMENT + b'push "max-clients 9"',
    "bytes that are no text": b"management 127.0.0.1 7505\nstatus \xff\xfe",
}
SERVER = b"server 10.8.0.0 255.255.255.0\ndh none\n"
MODES = {
    "server": SERVER,
    "mode server": b"mode server\ntls-server\ndh none",
    "IPv6 alone": b"server-ipv6 fd00::/64\ndh none",
    "bridge": b"dev-type tap\ndh none\nserver-bridge 10.8.0.4 255.255.255.0 10.8.0.50 10.8.0.100",
    "client": b"client\nremote 127.0.0.1",
    "a block": b"client\n<connection>\nremote 127.0.0.1\n</connection>\nstatus s",
    "pull": b"tls-client\npull\nremote 127.0.0.1",
    "no pull": b"tls-client\nremote 127.0.0.1\nifconfig 10.8.0.2 10.8.0.1",
}
SERVERS = {
    "many": b"max-clients 3\nclient-config-dir ccd\nduplicate-cn\nstatus s.log 5\n"
    b"status-version 2\ncrl-verify crl.pem\ndev tap7",
    "jail": b"chroot jail\ncrl-verify /crl.pem\nclient-config-dir ccd\nstatus s.log",
    "a directory": b"crl-verify ccd dir",
    "arguments too many": b"duplicate-cn 1",
    "inline": b"<crl-verify>\nmax-clients 7\n </crl-verify>x\nmax-clients 8",
    "a long line": b"<crl-verify>\n" + b"y" * 254 + b"</crl-verify>\nmax-clients 7\n</crl-verify>",
    "a line whose rest closes": b"<crl-verify>\n" + b"y" * 255 + b"</crl-verify>\nmax-clients 7",
}


@pytest.fixture(scope="module")
def directory(lab: Lab) -> Path:
    """Create the files that the configurations name."""
    home = lab.directory / "deployments"
    for part in ("deeper", "ccd", "jail/ccd", "jail/tmp"):
        (home / part).mkdir(parents=True)
    for part in ("pass word", "crl.pem", "jail/crl.pem"):
        (home / part).touch()
    (home / "include").write_bytes(b"management 127.0.0.2 1\nmax-clients 5")
    (home / "other include").write_bytes(b"config include\n")
    (home / "deeper" / "include").write_bytes(b"management 127.0.0.3 1\nstatus x\n")
    (home / "loop").write_bytes(b"config loop\n")
    for level in range(1, 10):
        (home / f"level{level}").write_text(f"config level{level + 1}\n")
    (home / "level10").write_bytes(b"max-clients 10\n")
    for size in (255, 256):
        (home / str(size)).write_bytes(b"max-clients 3\n" + b"#" * size)
    return home


def openvpn_options(lab: Lab, file: Path) -> Mapping[str, str] | None:
    """Return the options that OpenVPN reads from a file; None if it refuses the file."""
    before = ("--dev", "tun", *lab.authority.issue("server").options())
    done = subprocess.run(  # noqa: S603
        [OPENVPN, *before, "--config", file.name, *ENDING],
        cwd=file.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    text = os.fsdecode(done.stdout)
    if ENDED not in text:
        assert re.search("Options error|Bad backslash|Endtag .* missing", text), text
        return None
    return {name: quoted or bare for name, quoted, bare in PRINTED.findall(text)}


def exporter_config(file: Path) -> OpenVpnConfig | None:
    try:
        return read(file)
    except OpenVpnConfigError:
        return None


def as_printed(read: OpenVpnConfig) -> Mapping[str, str]:
    """Format a configuration as OpenVPN prints its options."""
    management = read.management
    assert management
    selected = options.select(includes.read(read.file).directives)
    return {
        "mode": "1" if read.mode is Mode.SERVER else "0",
        "pull": enabled(read.mode is Mode.CLIENT),
        "management_addr": management.address,
        "management_port": management.port,
        "management_user_pass": relative(management.password_file, read),
        "status_file": relative(read.status_file, read),
        "status_file_version": str(parse_number(selected.argument("status-version"), 1)),
        # Printed without the chroot directory, although the files must exist inside it.
        "client_config_dir": relative(read.client_config_dir, read).removeprefix("jail/"),
        "crl_file": relative(read.crl, read).removeprefix("jail"),
        "duplicate_cn": enabled("duplicate-cn" in selected),
        "dev": selected.argument("dev") or "tun",
        "max_clients": str(read.max_clients or 1024),
    }


def enabled(flag: bool) -> str:  # noqa: FBT001
    return "ENABLED" if flag else "DISABLED"


def relative(path: Path | Inline | None, read: OpenVpnConfig) -> str:
    if isinstance(path, Inline):
        return "[INLINE]"
    return "[UNDEF]" if path is None else str(path).removeprefix(f"{read.directory}/")


def assert_equal_readings(lab: Lab, file: Path) -> None:
    """Compare both readings of a file."""
    printed, read = openvpn_options(lab, file), exporter_config(file)
    if printed is None or read is None:
        assert printed is None
        assert read is None
        return
    expected = as_printed(read)
    assert {name: printed[name] for name in expected} == expected
    assert read.management
    assert bool(int(printed["management_flags"]) & UNIX) == read.management.unix


@pytest.mark.parametrize("name", FILES)
def test_exporter_reads_a_configuration_as_openvpn_does(
    lab: Lab, directory: Path, name: str
) -> None:
    file = directory / "file.conf"
    file.write_bytes(FILES[name] + b"\n" + SERVER)
    assert_equal_readings(lab, file)


def test_number_with_more_behind_it_is_read_as_openvpn_before_2_7_did(
    lab: Lab, directory: Path
) -> None:
    file = directory / "number.conf"
    file.write_bytes(MANAGEMENT + b"max-clients 9x\nstatus-version 2x\n" + SERVER)
    if version() < (2, 7):
        assert_equal_readings(lab, file)
    else:  # such a daemon does not start
        assert openvpn_options(lab, file) is None


@pytest.mark.parametrize("name", MODES)
def test_exporter_finds_the_mode_that_openvpn_finds(lab: Lab, directory: Path, name: str) -> None:
    file = directory / "mode.conf"
    file.write_bytes(MANAGEMENT + MODES[name])
    assert_equal_readings(lab, file)


@pytest.mark.parametrize("name", SERVERS)
def test_exporter_finds_the_server_files_that_openvpn_finds(
    lab: Lab, directory: Path, name: str
) -> None:
    file = directory / "server.conf"
    file.write_bytes(MANAGEMENT + SERVER + SERVERS[name])
    assert_equal_readings(lab, file)
