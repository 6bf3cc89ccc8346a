"""The documentation matches the code."""

import re
from argparse import SUPPRESS
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from exporter.cli.main import COMMANDS, command_parser
from exporter.cli.options import DEFAULT_ADDRESS
from exporter.config import ClientsConfig, Config, EventsConfig
from exporter.config.docs import format_value
from exporter.config.keys import key_specs
from exporter.management.commands import Command
from exporter.management.errors import DownReason
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.web import metrics
from exporter.web.daemon_page import client_order
from exporter.web.pages import frame
from exporter.web.routes import application
from exporter.web.view.clients import ClientView
from exporter.web.view.daemon import DaemonView, StateView
from scripts.render_docs import anchor_of

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.md")])
README = (ROOT / "README.md").read_text()
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text()
MANAGEMENT = (ROOT / "docs" / "management.md").read_text()
POLLING = (ROOT / "docs" / "polling.md").read_text()

CODE = "".join(path.read_text() for path in (ROOT / "exporter").rglob("*.py"))

METRIC_NAMES = {metric.name for metric in catalogue.METRICS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_linked_file_exists(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "migration.md"],  # has metrics of other exporters
    ids=lambda page: page.name,
)
def test_every_named_metric_exists(page: Path) -> None:
    named = set(re.findall(r"(?<!exporter/)(?<!► )(?<!:)\bopenvpn_[a-z0-9_]+", page.read_text()))
    samples = {
        name + suffix for name in METRIC_NAMES for suffix in ("", "_bucket", "_sum", "_count")
    }
    assert named - samples == set()


def test_the_reference_lists_exactly_the_flags_and_their_defaults() -> None:
    rows = re.findall(r"^\| `(--[a-z.-]+)[^`]*` \| ([^|]*)\|", REFERENCE, re.MULTILINE)
    documented = {flag: set(re.findall(r"`([^`]+)`", defaults)) for flag, defaults in rows}
    defaults: dict[str, set[str]] = {}
    for command in COMMANDS:
        for action in command_parser(command)._actions:
            if action.option_strings and action.dest != "help" and action.help != SUPPRESS:
                shown = defaults.setdefault(action.option_strings[0], set())
                if action.default and action.default != SUPPRESS:
                    shown.add(str(action.default))
    assert documented == defaults | {"--web.listen-address": {DEFAULT_ADDRESS}}


def test_the_reference_lists_every_command() -> None:
    section = REFERENCE.partition("\n## Commands\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE)
    assert rows == [command.name for command in COMMANDS]


def test_the_readme_links_to_every_page() -> None:
    pages = {f"docs/{path.name}" for path in ROOT.glob("docs/*.md")}
    assert pages - set(re.findall(r"\]\(([^)#]+)", README)) == set()


def test_the_reference_lists_every_endpoint() -> None:
    app = application(lambda: (), Exposition((), CollectorRegistry()), telemetry_path="/metrics")
    paths = {resource.canonical for resource in app.router.resources()} - {"/docs"}  # redirected
    paths = {path.replace("{name}", "NAME").replace("{file}", "FILE") for path in paths}
    rows = "".join(re.findall(r"^\| (`/.*?) \|", REFERENCE, re.MULTILINE))
    named = {path.partition("?")[0] for path in re.findall(r"`(/[^`]*)`", rows)}
    assert named == paths | {"/-/reload"}


def test_the_readme_shows_a_picture_two_commands_and_how_to_install_on_the_first_screen() -> None:
    screen = "\n".join(README.splitlines()[:30])
    introduction, _, _ = screen.partition("\n## Install\n")
    assert introduction != screen
    assert re.search(r"^!\[.+\]\(docs/images/\w+\.png\)$", introduction, re.MULTILINE)
    assert re.findall(r"^    (\w.*)$", introduction, re.MULTILINE) == ["make demo", "make test"]


def test_the_management_page_lists_every_command_to_a_daemon() -> None:
    sentence = MANAGEMENT.partition("commands that the exporter sends: ")[2].partition(". None")[0]
    assert sorted(re.findall(r"`([^`]+)`", sentence)) == sorted(command.text for command in Command)


def test_troubleshooting_has_exactly_one_section_for_each_reason() -> None:
    reasons = TROUBLESHOOTING.partition("\n## Reasons\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.+)$", reasons, re.MULTILINE) == list(DownReason)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_linked_section_exists(page: Path) -> None:
    text = page.read_text()
    for target, anchor in re.findall(r"\]\(([^)#]*)#([^)]+)\)", text):
        linked = (page.parent / target).read_text() if target else text
        headings = re.findall(r"^#+ (.+)$", linked, re.MULTILINE)
        assert anchor in set(map(anchor_of, headings)), anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_configuration_key_exists(page: Path) -> None:
    sections: dict[str, type[msgspec.Struct]] = {"clients": ClientsConfig, "events": EventsConfig}
    for section, key in re.findall(r"`(clients|events)\.(\w+)", page.read_text()):
        assert key in {known.name for known in key_specs(sections[section])}, f"{section}.{key}"


def test_the_source_tree_lists_every_folder() -> None:
    folders = {f"{path.parent.relative_to(ROOT)}/" for path in ROOT.glob("exporter/*/__init__.py")}
    files = ("*/*.py", "prometheus/*.yml", "deploy/*/*", "docs/*.md", "scripts/*", "requirements/*")
    folders |= {f"{path.relative_to(ROOT).parts[0]}/" for glob in files for path in ROOT.glob(glob)}
    rows = set(re.findall(r"^\| `([^`]+/)` \|", CONTRIBUTING, re.MULTILINE))
    assert folders - {"exporter/"} == rows


def test_every_file_in_contributing_exists() -> None:
    paths = re.findall(r"`((?:exporter|tests|docs|grafana|prometheus)/[\w./]+)`", CONTRIBUTING)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_polling_page_has_the_timeouts_and_defaults() -> None:
    assert f"{metrics.DEFAULT_TIMEOUT:g} s without it) less {metrics.TIMEOUT_OFFSET:g} s" in POLLING
    assert f"`{metrics.TIMEOUT_HEADER}`" in POLLING
    defaults = {key.name: key.default for key in key_specs(Config)}
    assert (defaults["refresh_on_scrape"] is False) == ("**off by default**" in POLLING)
    assert f"| `{format_value(defaults['poll_interval'])}`, the default |" in POLLING


def test_the_code_has_each_message_that_the_runbook_searches_for() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    texts = re.findall(r'journalctl -u openvpn-exporter \| grep "([^"]+)"', runbook)
    assert len(texts) == 3
    assert [text for text in texts if text not in CODE] == []


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("discovery", "configuration warning"),
        ("discovery", "daemon skipped"),
        ("operation", "first poll pending"),
        ("operation", "monitor task stopped or stuck"),
        ("operation", "reload failed, keeping the previous configuration"),
        ("status-files", "using the status file"),
        ("troubleshooting", "daemon is down"),
        ("web-configuration", "web configuration reload failed, keeping the previous one"),
    ],
)
def test_pages_quote_messages_of_the_code(page: str, message: str) -> None:
    text = " ".join((ROOT / "docs" / f"{page}.md").read_text().split())
    assert f"`{message}`" in text
    assert message in CODE


@pytest.mark.parametrize(
    ("heading", "view"),
    [("A daemon", DaemonView), ("A state", StateView), ("A client", ClientView)],
)
def test_the_page_about_json_lists_exactly_its_fields(
    heading: str, view: type[msgspec.Struct]
) -> None:
    page = (ROOT / "docs" / "pages.md").read_text()
    table = page.partition(f"\n{heading}:\n\n")[2].partition("\n\n")[0]
    heads = "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    assert re.findall("`([a-z_0-9]+)`", heads) == list(view.__struct_fields__)


def test_the_page_about_json_has_the_sizes() -> None:
    page = " ".join((ROOT / "docs" / "pages.md").read_text().split())
    assert f"{client_order.PAGE_SIZE} rows on each" in page
    assert f"every {frame.REFRESH} seconds" in page
