import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession

from exporter import __version__
from exporter.alert_rules import THRESHOLDS, USAGE_THRESHOLDS
from exporter.cli.main import COMMANDS
from exporter.cli.subcommand import Subcommand
from tests.fake_daemon import TEST_TIMEOUT, fake_daemon

ROOT = Path(__file__).parents[1]
PROGRAM = (sys.executable, "-m", "exporter")
ANY_PORT = "--web.listen-address=127.0.0.1:0"

FLAGS = (
    "--config.file",
    "--openvpn.config",
    "--openvpn.management",
    "--openvpn.status-file",
    "--web.listen-address",
    "--web.systemd-socket",
    "--web.config.file",
    "--web.telemetry-path",
    "--web.external-url",
    "--log.level",
    "--log.format",
    "--version",
    "--help",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(  # noqa: S603
        [*PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )


@contextlib.asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Process]:
    """Run the program while the block runs."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_until(stream: asyncio.StreamReader | None, pattern: str) -> re.Match[str]:
    """Read lines until one has the pattern."""
    assert stream is not None
    async with asyncio.timeout(TEST_TIMEOUT):
        while line := await stream.readline():
            if match := re.search(pattern, line.decode()):
                return match
    raise AssertionError(f"ended before it wrote {pattern!r}")


async def get(url: str) -> str:
    async with ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return await response.text()


async def exit_code(process: Process) -> int:
    async with asyncio.timeout(5):
        return await process.wait()


class TestHelp:
    def test_version_prints_the_version(self) -> None:
        done = run("--version")
        assert (done.returncode, done.stdout) == (0, f"openvpn-exporter {__version__}\n")

    def test_help_lists_every_flag_and_command(self) -> None:
        done = run("--help")
        assert done.returncode == 0
        for word in (*FLAGS, "serve", "demo"):
            assert word in done.stdout
        assert set(re.findall(r"--[a-z][a-z.-]+", done.stdout)) == set(FLAGS)

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
    def test_each_command_has_its_own_help(self, command: Subcommand) -> None:
        done = run(command.name, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert "--log.level" in done.stdout

    def test_of_serve_has_only_its_own_flags(self) -> None:
        shown = run("serve", "--help").stdout
        assert shown.startswith("usage: openvpn-exporter serve ")
        assert "dashboards" not in shown
        assert set(re.findall(r"--[a-z][a-z.-]+", shown)) == set(FLAGS)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--no.such.flag"], "--no.such.flag"),
            (["surf"], "'surf'"),
            (["demo", "--web.listen-address", "9176"], "write :9176 or 127.0.0.1:9176"),
            (["demo", "--web.listen-address", ":99999"], "':99999'"),
            (["demo", "--web.telemetry-path", "metrics"], "such as /metrics"),
            (["demo", "--web.telemetry-path", "/{x"], "such as /metrics"),
            (["demo", "--log.level", "loud"], "'loud'"),
            (["demo", "--log.format", "xml"], "'xml'"),
            (["serve", "demo"], "demo"),
            (["demo", "--config.file", "x.yaml"], "--config.file"),
            (["demo", "--openvpn.management", ":1"], "--openvpn.management"),
            (["--config.file", "x", "--openvpn.management", ":1"], "not allowed with"),
            (["--config.file", "x", "--openvpn.config", "*"], "not allowed with"),
            (["--config.file", "x", "--openvpn.status-file", "*"], "not allowed with"),
        ],
    )
    def test_invalid_flag_is_named_and_exits_with_2(
        self, arguments: list[str], message: str
    ) -> None:
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("usage: ")
        assert message in done.stderr

    def test_no_daemon_is_an_error_with_the_remedy(self) -> None:
        done = run()
        assert done.returncode == 2
        for word in ("--config.file", "--openvpn.management", "--openvpn.status-file", "demo"):
            assert word in done.stderr.partition("error:")[2]

    def test_all_problems_of_the_configuration_are_reported_with_file_and_line(
        self, tmp_path: Path
    ) -> None:
        file = tmp_path / "bad.yaml"
        file.write_text("poll_interval: 15\ndaemons:\n  - name: office\n    managment: x\n")
        done = run("--config.file", str(file))
        assert (done.returncode, done.stdout) == (2, "")
        problems = done.stderr.splitlines()
        assert [problem.partition(": ")[0] for problem in problems] == [
            f"{file}:1",
            f"{file}:3",
            f"{file}:4",
        ]

    def test_missing_configuration_exits_with_2(self, tmp_path: Path) -> None:
        done = run("--config.file", str(tmp_path / "missing.yaml"))
        assert done.returncode == 2
        assert f"{tmp_path}/missing.yaml: " in done.stderr
        assert "Traceback" not in done.stderr

    def test_all_invalid_addresses_are_reported(self) -> None:
        done = run("--openvpn.management", "nowhere", "--openvpn.management", "127.0.0.1:0x1")
        assert done.returncode == 2
        assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
            "--openvpn.management"
        ] * 2

    async def test_address_in_use_exits_with_1(self) -> None:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            done = await asyncio.to_thread(run, "demo", f"--web.listen-address={host}:{port}")
        assert done.returncode == 1
        assert "cannot serve: Address already in use" in done.stderr
        assert "stop the program that listens there" in done.stderr
        assert str(port) in done.stderr
        assert "Traceback" not in done.stderr


class TestServing:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_signal_sends_quit_to_the_daemon_and_exits_with_0(
        self, number: signal.Signals
    ) -> None:
        async with (
            fake_daemon() as daemon,
            running("--openvpn.management", str(daemon.endpoint), ANY_PORT) as process,
        ):
            session = await daemon.accept_and_greet()
            await session.reply_to_polls()
            signalled_at = time.monotonic()
            process.send_signal(number)
            await session.wait_closed()
            await read_until(process.stderr, "msg=stopping")
            assert await exit_code(process) == 0
            assert time.monotonic() - signalled_at < 5
        assert session.received[-1] == b"quit"

    async def test_serves_the_daemons_of_a_configuration_file(self, tmp_path: Path) -> None:
        file = tmp_path / "config.yaml"
        flags = ("--config.file", str(file), ANY_PORT, "--web.telemetry-path=/numbers")
        async with fake_daemon() as daemon:
            file.write_text(f"daemons:\n  - name: office\n    management: {daemon.endpoint}\n")
            async with running(*flags) as process:
                session = await daemon.accept_and_greet()
                await session.reply_to_polls()
                url = await read_until(process.stderr, r"(http://127\.0\.0\.1:\d+)")
                body = await get(f"{url[1]}/numbers")
        assert 'openvpn_management_up{daemon="office"}' in body

    async def test_sighup_reloads_and_keeps_the_session(self, tmp_path: Path) -> None:
        file = tmp_path / "config.yaml"
        async with fake_daemon() as daemon:
            office = f"daemons:\n  - name: office\n    management: {daemon.endpoint}\n"
            file.write_text(office)
            async with running("--config.file", str(file), ANY_PORT) as process:
                session = await daemon.accept_and_greet()
                await session.reply_to_polls()
                await read_until(process.stderr, "daemon is up")
                file.write_text("daemons: nonsense\n")
                process.send_signal(signal.SIGHUP)
                await read_until(process.stderr, r"level=error.*config\.yaml:1: daemons: ")
                file.write_text(f"{office}  - name: branch\n    management: 127.0.0.1:1\n")
                process.send_signal(signal.SIGHUP)
                await read_until(process.stderr, "1 unchanged, .* 1 added")
                process.send_signal(signal.SIGTERM)
                await session.wait_closed()
                assert await exit_code(process) == 0
            assert daemon.all_accepted
            assert session.received.count(b"pid") == 1

    async def test_log_format_json_logs_json(self) -> None:
        arguments = ("--openvpn.management=127.0.0.1:1", ANY_PORT, "--log.format=json")
        async with running(*arguments) as process:
            await read_until(process.stderr, r'^\{"ts": ".*"msg": "serving"')


class TestDemo:
    async def test_prints_urls_that_are_served(self) -> None:
        async with running("demo", ANY_PORT) as process:
            landing = await read_until(process.stdout, r"(http://127\.0\.0\.1:\d+/)\s")
            metrics = await read_until(process.stdout, r"(http://127\.0\.0\.1:\d+/metrics)\s")
            assert "<bdi>office</bdi>" in await get(landing[1])
            assert 'openvpn_up{daemon="office"}' in await get(metrics[1])
            assert "max_clients: 60" in await get(f"{landing[1]}config")
            process.send_signal(signal.SIGINT)
            assert await exit_code(process) == 0


class TestRules:
    def test_prints_the_rules_of_the_repository(self) -> None:
        done = run("rules")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (ROOT / "prometheus" / "openvpn.rules.yml").read_text()

    def test_prints_the_rules_for_usage_of_the_repository(self) -> None:
        done = run("rules", "--usage")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (ROOT / "prometheus" / "openvpn-usage.rules.yml").read_text()

    def test_rules_for_usage_are_another_object_in_kubernetes(self) -> None:
        kubernetes = ("--format", "prometheusrule")
        usage, alerts = (
            yaml.safe_load(run("rules", *flags, *kubernetes).stdout)
            for flags in (("--usage", "--threshold=client-quota=2TB"), ())
        )
        names = (usage["metadata"]["name"], alerts["metadata"]["name"])
        assert names == ("openvpn-exporter-usage", "openvpn-exporter")
        assert "> 2e12" in usage["spec"]["groups"][1]["rules"][0]["expr"]

    def test_writes_rules_with_job_thresholds_and_runbook(self, tmp_path: Path) -> None:
        file = tmp_path / "openvpn.rules.yml"
        thresholds = ("--threshold=daemon-down=17m", "--threshold", "auth-failures=50")
        done = run(
            "rules", "--job=vpn", *thresholds, "--runbook=https://wiki/vpn", f"--output={file}"
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        for text in ('up{job="vpn"}', "for: 14m", "> 50.5", "https://wiki/vpn#openvpndaemondown"):
            assert text in file.read_text()

    @pytest.mark.parametrize(
        ("flag", "message"),
        [
            ("--threshold=daemon-down", "write NAME=VALUE"),
            ("--threshold=daemon-down=soon", "threshold daemon-down: 'soon' is not a duration"),
            ("--threshold=daemons=1", "'daemons' is no threshold: use one of exporter-down,"),
            (
                "--threshold=client-quota=2TB",
                "'client-quota' is a threshold of the rules for usage",
            ),
            ("--runbook=a b", "'a b' is no URL"),
            ("--external-label=a-b", "the external label 'a-b'"),
            ("--format=helm", "invalid choice: 'helm'"),
        ],
    )
    def test_invalid_value_is_named_and_exits_with_2(self, flag: str, message: str) -> None:
        done = run("rules", flag)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr

    def test_prints_the_object_of_the_prometheus_operator(self) -> None:
        printed = yaml.safe_load(run("rules", "--format", "prometheusrule", "--job=vpn").stdout)
        assert (printed["apiVersion"], printed["kind"]) == (
            "monitoring.coreos.com/v1",
            "PrometheusRule",
        )
        assert printed["spec"] == yaml.safe_load(run("rules", "--job=vpn").stdout)

    def test_adds_external_labels_to_matches(self) -> None:
        printed = run("rules", "--external-label", "cluster", "--external-label=region").stdout
        assert " on (cluster, region, job, instance, daemon)" in printed
        assert " on (job," not in printed

    def test_unwritable_file_exits_with_1(self, tmp_path: Path) -> None:
        done = run("rules", f"--output={tmp_path}")
        assert done.returncode == 1
        assert f"cannot write {tmp_path}: Is a directory" in done.stderr

    def test_help_lists_every_threshold_with_its_default(self) -> None:
        listed = run("rules", "--help").stdout
        for threshold in (*THRESHOLDS, *USAGE_THRESHOLDS):
            assert f"  {threshold.name}={threshold.default} " in listed
            assert threshold.description in listed


def test_only_demo_imports_the_simulator() -> None:
    code = "import sys, exporter.cli; sys.exit('exporter.simulator' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)  # noqa: S603
    assert done.returncode == 0
