"""`make test` from the source archive, on releases with newer Python, OpenVPN and Prometheus.

The oldest release, Debian 12, is where `make test` runs at each change.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests_install.chroot import ROOT, Chroot, clean_system

SOURCE = "/root/openvpn-exporter"
VERSIONS = {
    "trixie": r"Debian 13 \(Python ([\d.]+), OpenVPN ([\d.]+), Prometheus ([\d.]+)\)",
    "sid": r"Debian sid\s+\(Python ([\d.]+), OpenVPN ([\d.]+), Prometheus ([\d.]+)\)",
}
"""The statements of CONTRIBUTING.md."""


@pytest.fixture(params=VERSIONS)
def tested(request: pytest.FixtureRequest, source_archive: Path) -> Iterator[Chroot]:
    """A system on which the tests of the source archive passed."""
    with clean_system(request.param) as system:
        shutil.copy(source_archive, system / "root")
        system.script(f"""
            apt-get update
            apt-get install --no-install-recommends git make python3 python3-venv
            git init --quiet {SOURCE} # some tests compare the files with those that git knows
            tar --extract --strip-components=1 --file={source_archive.name} --directory={SOURCE}
            git -C {SOURCE} add --all
            make --directory={SOURCE} test &> test.log || {{ tail -n 200 test.log; exit 1; }}
        """)
        yield system


@pytest.mark.timeout(3600)
def test_suite_passes_with_the_versions_that_the_documents_name(tested: Chroot) -> None:
    log = (tested / "root/test.log").read_text()
    without_openvpn, with_openvpn = re.findall(r"^=+ (\d+ passed.*?) =+$", log, re.MULTILINE)
    print(f"{without_openvpn}; with OpenVPN {with_openvpn}")
    document = (ROOT / "CONTRIBUTING.md").read_text()
    stated = re.search(VERSIONS[tested.root.name], document)
    assert stated is not None
    for version, program in zip(stated.groups(), ("Python", "OpenVPN", "prometheus"), strict=True):
        command = "python3" if program == "Python" else program.lower()
        shown = tested.run(command, "--version")
        assert re.match(rf"{program}(, version)? {re.escape(version)}\.", shown)
