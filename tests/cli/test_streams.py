"""Commands whose output is not read or has nowhere to go end quietly, with their exit code."""

import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.fake_daemon import TEST_TIMEOUT

NOT_UP = ("once", "--openvpn.management", "127.0.0.1:1")
WRONG = ("--nonsense",)


def run(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with its output redirected by the shell."""
    command = f'"$@" {redirection}'
    return subprocess.run(  # noqa: S603 -- our own program
        ["/bin/sh", "-c", command, "sh", sys.executable, "-m", "exporter", *arguments],
        capture_output=True,
        text=True,
        timeout=TEST_TIMEOUT,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code"), [(("rules",), 0), (("--help",), 0), (NOT_UP, 1), (WRONG, 2)]
)
@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_the_exit_code_does_not_depend_on_the_streams(
    redirection: str, arguments: tuple[str, ...], code: int
) -> None:
    result = run(redirection, *arguments)
    assert result.returncode == code
    assert "Traceback" not in result.stderr
    assert "Exception" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("rules",), 0), (("dashboards",), 0), (("dashboards", "fleet"), 0), (NOT_UP, 1)],
)
def test_a_reader_that_has_gone_changes_nothing(arguments: tuple[str, ...], code: int) -> None:
    process = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-m", "exporter", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, stderr = process.communicate(timeout=TEST_TIMEOUT)
    assert process.returncode == code
    assert "BrokenPipe" not in stderr


def test_output_that_cannot_be_written_is_a_failure() -> None:
    result = run(">/dev/full", "rules")
    assert result.returncode == 1
    assert result.stderr == ("openvpn-exporter: cannot write the output: No space left on device\n")


@pytest.mark.parametrize("redirection", ["2>&-", ">&- 2>&-", "2>/dev/full"])
def test_the_exporter_serves_without_standard_error(redirection: str) -> None:
    code = (
        "import os, sys\n"
        "from exporter.cli import main\n"
        "os.dup2(int(sys.argv.pop(1)), 3)\n"
        "os.environ |= {'LISTEN_FDS': '1', 'LISTEN_PID': str(os.getpid())}\n"
        "sys.exit(main(['--web.systemd-socket', '--openvpn.management', '127.0.0.1:1']))\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:  # the scrape waits in its backlog
        descriptor, port = server.fileno(), server.getsockname()[1]
        program = (sys.executable, "-c", code, str(descriptor))
        process = subprocess.Popen(  # noqa: S603 -- our own program
            ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *program], pass_fds=[descriptor]
        )
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=TEST_TIMEOUT) as response:
            assert b"\nopenvpn_up" in response.read()
        process.terminate()
        assert process.wait(TEST_TIMEOUT) == 0
    finally:
        process.kill()
        process.wait()
