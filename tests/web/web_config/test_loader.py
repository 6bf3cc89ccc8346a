import re
from pathlib import Path

import bcrypt
import pytest

from exporter.config import ConfigError
from exporter.files import FileStamp
from exporter.web.web_config import ALLOW_ALL, Policy, Rate
from exporter.web.web_config.loader import load
from exporter.web.web_config.schema import CipherSuite
from tests.web.certificates import HASH, Authority

SECRET = "hunter2"
PAIR = "tls_server_config: {cert_file: web.crt, key_file: web.key"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def directory(tmp_path: Path, authority: Authority) -> Path:
    authority.write(tmp_path, "web", "localhost")
    authority.write(tmp_path, "other", "localhost")
    (tmp_path / "ca.crt").write_text(authority.pem)
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"0\x82\xff")
    (tmp_path / "text").write_text("no certificate\n")
    (tmp_path / "locked.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    damaged = (tmp_path / "web.crt").read_text().replace("M", "N")
    (tmp_path / "damaged.crt").write_text(damaged)
    return tmp_path


def read(directory: Path, text: str) -> Policy:
    path = directory / "web.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def problems(directory: Path, text: str) -> list[str]:
    """Return the problems, as `line: key: text`."""
    with pytest.raises(ConfigError) as caught:
        read(directory, text)
    path = str(directory / "web.yaml")
    return [str(problem).removeprefix(path).lstrip(": ") for problem in caught.value.problems]


class TestPolicy:
    def test_an_empty_file_allows_all_requests(self, directory: Path) -> None:
        policy = read(directory, "tls_server_config: {}\nbasic_auth_users:\nrate_limit: {}\n")
        stamp = FileStamp.read(directory / "web.yaml")
        assert policy == Policy(files=(stamp,))
        assert Policy() == ALLOW_ALL

    def test_users_have_hashes_that_are_never_printed(self, directory: Path) -> None:
        policy = read(directory, f"basic_auth_users: {{alice: {HASH}, 007: {HASH}}}\n")
        assert {user: hashed.reveal() for user, hashed in policy.users.items()} == {
            "alice": HASH,
            "007": HASH,
        }
        assert HASH not in repr(policy)

    @pytest.mark.parametrize("kind", ["2a", "2b", "2y"])
    def test_each_prefix_of_bcrypt_is_accepted(self, directory: Path, kind: str) -> None:
        hashed = HASH.replace("$2b$", f"${kind}$")
        assert read(directory, f"basic_auth_users: {{alice: {hashed}}}\n").users

    def test_blank_headers_are_omitted(self, directory: Path) -> None:
        headers = "{Content-Security-Policy: '', X-XSS-Protection: , X-Frame-Options: deny}"
        policy = read(directory, f"http_server_config: {{http2: false, headers: {headers}}}\n")
        assert policy.headers == {"X-Frame-Options": "deny"}

    @pytest.mark.parametrize("text", ["interval: 0", "interval: 0s, burst: 5", "burst: 5"])
    def test_a_rate_without_an_interval_is_no_limit(self, directory: Path, text: str) -> None:
        assert read(directory, f"rate_limit: {{{text}}}\n").rate is None

    def test_a_rate_has_an_interval_in_seconds(self, directory: Path) -> None:
        policy = read(directory, "rate_limit: {interval: 250ms, burst: 7}\n")
        assert policy.rate == Rate(0.25, 7)

    def test_paths_are_relative_to_the_file_and_all_files_are_tracked(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir("/")
        client = "client_ca_file: ca.crt, client_auth_type: VerifyClientCertIfGiven"
        policy = read(directory, f"{PAIR}, {client}}}\n")
        names = [stamp.path.name for stamp in policy.files]
        assert names == ["web.yaml", "web.crt", "web.key", "ca.crt"]
        assert all(stamp.is_current() for stamp in policy.files)

    def test_certificates_and_keys_may_be_inline(
        self, directory: Path, authority: Authority
    ) -> None:
        contents = {
            "cert": (directory / "web.crt").read_text(),
            "key": (directory / "web.key").read_text(),
            "client_ca": authority.pem,
        }
        blocks = "".join(
            f"  {key}: |\n{re.sub('^', '    ', pem, flags=re.MULTILINE)}\n"
            for key, pem in contents.items()
        )
        auth = "  client_auth_type: RequireAndVerifyClientCert\n"
        policy = read(directory, f"tls_server_config:\n{blocks}{auth}")
        assert policy.tls is not None
        assert len(policy.tls.get_ca_certs()) == 1
        assert len(policy.files) == 1

    def test_text_between_the_certificates_of_a_ca_bundle_is_ignored(
        self, directory: Path, authority: Authority
    ) -> None:
        bundle = f"NetLock Főtanúsítvány\n{authority.pem}"
        (directory / "ca.crt").write_text(bundle, encoding="utf-8")
        policy = read(directory, f"{PAIR}, {CLIENT}: RequireAndVerifyClientCert}}\n")
        assert policy.tls is not None
        assert len(policy.tls.get_ca_certs()) == 1

    def test_allowed_addresses_are_canonical(self, directory: Path) -> None:
        client = "client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert"
        sans = "['2001:DB8:0::1', 10.0.0.1, vpn.example.org]"
        policy = read(directory, f"{PAIR}, {client}, client_allowed_sans: {sans}}}\n")
        assert policy.allowed_sans == {"2001:db8::1", "10.0.0.1", "vpn.example.org"}


CLIENT = "client_ca_file: ca.crt, client_auth_type"

PROBLEMS = {
    "empty file": ("", "the file is empty: see docs/web-configuration.md"),
    "unknown": ("tls_server_confg: {}\n", "1: tls_server_confg: is an unknown key: did you mean"),
    "type": ("basic_auth_users: [a]\n", "1: basic_auth_users: must be a mapping: one entry a line"),
    "twice": (
        f"basic_auth_users:\n  a: {HASH}\n  a: {HASH}\n",
        "3: basic_auth_users.a: is set twice",
    ),
    "colon": (
        f"basic_auth_users: {{'a:b': {HASH}}}\n",
        "1: basic_auth_users.'a:b': is not a valid user name",
    ),
    "plain": (
        f"basic_auth_users: {{a: {SECRET}}}\n",
        "1: basic_auth_users.a: is not a bcrypt hash",
    ),
    "cost": (
        f"basic_auth_users: {{a: {HASH.replace('$04$', '$17$')}}}\n",
        "1: basic_auth_users.a: has a cost of 17: use a cost of 10, at most 16",
    ),
    "cheap": (
        f"basic_auth_users: {{a: {HASH.replace('$04$', '$03$')}}}\n",
        "1: basic_auth_users.a: has a cost of 03",
    ),
    "damaged hash": (
        f"basic_auth_users: {{a: {HASH[:28]}z{HASH[29:]}}}\n",
        "1: basic_auth_users.a: is a damaged bcrypt hash",
    ),
    "no file": (
        "tls_server_config:\n  cert_file: web.crt\n  key_file: gone.key\n",
        "3: tls_server_config.key_file: cannot read ",
    ),
    "directory": (
        "tls_server_config: {cert_file: ., key_file: web.key}\n",
        "1: tls_server_config.cert_file: ",
    ),
    "no key": (
        "\ntls_server_config:\n  cert_file: web.crt\n",
        "3: tls_server_config: key_file is missing: add it, or key",
    ),
    "no certificate": (
        "tls_server_config: {key_file: web.key, min_version: TLS13}\n",
        "1: tls_server_config: cert_file is missing",
    ),
    "both": (
        f"{PAIR}, key: x}}\n",
        "1: tls_server_config.key: is set together with key_file: keep one of them",
    ),
    "text": (
        "tls_server_config: {cert_file: text, key_file: web.key}\n",
        "1: tls_server_config.cert_file: has no certificate",
    ),
    "text as key": (
        "tls_server_config: {cert_file: web.crt, key_file: text}\n",
        "1: tls_server_config.key_file: has no private key",
    ),
    "damaged": (
        "tls_server_config: {cert_file: damaged.crt, key_file: web.key}\n",
        "1: tls_server_config.cert_file: cannot be used with key_file",
    ),
    "mismatch": (
        "tls_server_config: {cert_file: web.crt, key_file: other.key}\n",
        "1: tls_server_config.key_file: is not the key of cert_file",
    ),
    "encrypted": (
        "tls_server_config: {cert_file: web.crt, key_file: locked.key}\n",
        "1: tls_server_config.key_file: is encrypted",
    ),
    "unused CA": (
        f"{PAIR}, client_ca_file: ca.crt}}\n",
        "1: tls_server_config.client_ca_file: has no effect without client_auth_type",
    ),
    "client authentication without CA": (
        f"{PAIR}, client_auth_type: RequireAndVerifyClientCert}}\n",
        "1: tls_server_config.client_auth_type: needs client_ca_file",
    ),
    "text as CA": (
        f"{PAIR}, client_ca_file: text, client_auth_type: RequireAndVerifyClientCert}}\n",
        "1: tls_server_config.client_ca_file: has no CA certificate",
    ),
    "empty CA": (
        f"{PAIR}, client_ca_file: empty, client_auth_type: RequireAndVerifyClientCert}}\n",
        "1: tls_server_config.client_ca_file: has no CA certificate",
    ),
    "binary CA": (
        f"{PAIR}, client_ca_file: binary, client_auth_type: RequireAndVerifyClientCert}}\n",
        "1: tls_server_config.client_ca_file: has no CA certificate",
    ),
    "both CAs": (
        f"{PAIR}, client_ca: x, {CLIENT}: RequireAndVerifyClientCert}}\n",
        "1: tls_server_config.client_ca: is set together with client_ca_file",
    ),
    "unverified": (
        f"{PAIR}, {CLIENT}: RequireAnyClientCert}}\n",
        "1: tls_server_config.client_auth_type: RequireAnyClientCert does not verify",
    ),
    "SANs without required certificate": (
        f"{PAIR}, {CLIENT}: VerifyClientCertIfGiven, client_allowed_sans: [a]}}\n",
        "1: tls_server_config.client_allowed_sans: needs client_auth_type",
    ),
    "no SAN": (
        f"{PAIR}, {CLIENT}: RequireAndVerifyClientCert, client_allowed_sans: []}}\n",
        "1: tls_server_config.client_allowed_sans: is empty, so that no client is accepted",
    ),
    "old version": (
        f"{PAIR}, min_version: TLS10}}\n",
        "1: tls_server_config.min_version: TLS10 is deprecated",
    ),
    "no version": (
        f"{PAIR}, min_version: SSL3}}\n",
        "1: tls_server_config.min_version: 'SSL3' is not known: write one of TLS12, TLS13",
    ),
    "versions": (
        f"{PAIR}, min_version: TLS13, max_version: TLS12}}\n",
        "1: tls_server_config.min_version: is newer than max_version",
    ),
    "curves": (
        f"{PAIR}, curve_preferences: [X25519, CurveP256]}}\n",
        "1: tls_server_config.curve_preferences: supports one curve",
    ),
    "no suite left": (
        f"{PAIR}, max_version: TLS12, cipher_suites: [{CipherSuite.TLS13_AES_128_GCM}]}}\n",
        "1: tls_server_config.cipher_suites: has no suite for TLS12",
    ),
    "weak suite": (
        f"{PAIR}, cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}}\n",
        "1: tls_server_config.cipher_suites[0]: 'TLS_RSA_WITH_AES_128_CBC_SHA' is not known",
    ),
    "header": (
        "http_server_config: {headers: {Server: x}}\n",
        "1: http_server_config.headers.Server: is an unknown key",
    ),
    "header value": (
        "http_server_config: {headers: {X-Frame-Options: allow}}\n",
        "1: http_server_config.headers.X-Frame-Options: 'allow' is not known: write deny",
    ),
    "header line": (
        'http_server_config: {headers: {Content-Security-Policy: "a\\r\\nb: c"}}\n',
        "1: http_server_config.headers.Content-Security-Policy: 'a\\r\\nb: c' is not a header",
    ),
    "header that is not ASCII": (
        'http_server_config: {headers: {Content-Security-Policy: "ü"}}\n',
        "1: http_server_config.headers.Content-Security-Policy: 'ü' is not a header",
    ),
    "rate": ("rate_limit: {interval: 1s}\n", "1: rate_limit.interval: needs burst"),
    "rate without unit": (
        "rate_limit: {interval: 1, burst: 1}\n",
        "1: rate_limit.interval: '1' has no unit",
    ),
}


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_problem_has_its_line_and_key(directory: Path, text: str, problem: str) -> None:
    (line,) = problems(directory, text)
    assert line.startswith(problem)
    assert SECRET not in line
    assert HASH[:28] not in line


def test_all_problems_are_reported_at_once(directory: Path) -> None:
    text = (
        "basic_auth_users: {alice: x}\n"
        "tls_server_config:\n  cert_file: gone.crt\n  min_version: TLS9\n"
        "rate_limit: {burst: 0}\n"
    )
    assert [each.partition(":")[0] for each in problems(directory, text)] == ["1", "3", "4", "5"]


def test_all_contradictions_are_reported_at_once(directory: Path) -> None:
    text = (
        "tls_server_config:\n  cert_file: web.crt\n"
        "  min_version: TLS13\n  max_version: TLS12\nrate_limit:\n  interval: 1s\n"
    )
    assert [each.split(": ")[1] for each in problems(directory, text)] == [
        "tls_server_config",
        "tls_server_config.min_version",
        "rate_limit.interval",
    ]


def test_an_inline_key_is_in_no_problem(directory: Path) -> None:
    key = (directory / "other.key").read_text()
    block = re.sub("^", "    ", key, flags=re.MULTILINE)
    lines = problems(directory, f"tls_server_config:\n  cert_file: web.crt\n  key: |\n{block}\n")
    assert lines == ["3: tls_server_config.key: is not the key of cert_file: set a matching pair"]


def test_bcrypt_refuses_the_same_hash_as_the_loader(directory: Path) -> None:
    with pytest.raises(ValueError, match="Invalid salt"):
        bcrypt.checkpw(b"", f"{HASH[:28]}z{HASH[29:]}".encode())
