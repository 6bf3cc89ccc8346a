"""What the server imports, and what it does not: each module costs time and memory at the start."""

import gc
import os
import subprocess
import sys
from pathlib import Path

from tests.web.certificates import Authority

SERVER = "import exporter.cli.serve\n"

OPTIONAL = (
    "bcrypt",
    "cryptography",
    "difflib",
    "exporter.alert_rules",
    "exporter.management.server",
    "exporter.monitor.port_prober",
    "exporter.monitor.status_file",
    "exporter.simulator",
    "exporter.web.daemon_page",
    "exporter.web.landing",
    "exporter.web.view",
    "yaml",
)


def run(program: str, **environment: str) -> str:
    completed = subprocess.run(  # noqa: S603 -- programs of this file
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        env=os.environ | environment,
        text=True,
    )
    return completed.stdout


def test_the_server_imports_nothing_that_only_other_configurations_and_commands_need() -> None:
    program = f"import sys\n{SERVER}print(*(name for name in {OPTIONAL} if name in sys.modules))"
    assert run(program).split() == []


def test_no_other_command_is_imported() -> None:
    program = f"import sys\n{SERVER}print(*(name for name in sys.modules if '.cli.' in name))"
    imported = {name.rpartition(".")[2] for name in run(program).split()}
    assert "serve" in imported
    assert imported.isdisjoint({"check", "dashboards", "demo", "once", "rules"})


def test_garbage_is_rarely_collected_during_the_imports() -> None:
    program = (
        "import gc\n"
        "collections = []\n"
        "gc.callbacks.append(lambda *_: collections.append(1))\n"
        "import exporter.cli\n"
        "print(len(collections), gc.get_threshold()[0])"
    )
    collections, threshold = map(int, run(program).split())
    assert 0 < collections < 20  # else 200
    assert threshold == gc.get_threshold()[0]


def test_no_certificate_authority_of_the_system_is_read(tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    authorities.write_text(Authority().pem)
    program = (
        f"{SERVER}import gc, os, ssl\n"
        "gc.unfreeze()  # frozen objects are not among those below\n"
        "contexts = [known for known in gc.get_objects() if isinstance(known, ssl.SSLContext)]\n"
        "print(bool(contexts), *(context.get_ca_certs() for context in contexts))\n"
        "print(os.environ['SSL_CERT_FILE'])"
    )
    first, second = run(program, SSL_CERT_FILE=str(authorities)).splitlines()
    assert first.split()[0] == "True"
    assert set(first.split()[1:]) == {"[]"}
    assert second == str(authorities)
