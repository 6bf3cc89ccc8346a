import pytest

from exporter.config import Config, ConfigError, DaemonConfig, from_flags
from exporter.management.endpoint import UnixEndpoint, parse_endpoint


def names(*addresses: str) -> list[str]:
    return [daemon.name for daemon in from_flags(addresses).daemons]


def problems(*addresses: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        from_flags(addresses)
    assert all(problem.source == "--openvpn.management" for problem in caught.value.problems)
    return [problem.text for problem in caught.value.problems]


def test_flags_set_only_name_and_address() -> None:
    endpoint = UnixEndpoint("/run/openvpn/office.sock")
    daemon = DaemonConfig(name="office", management=endpoint)
    assert from_flags([str(endpoint)]) == Config(daemons=(daemon,))


def test_daemon_is_named_after_its_address_or_its_socket_file() -> None:
    addresses = ["127.0.0.1:7505", "[0::1]:7505", "unix:/run/a.b.sock", "listen:localhost:7600"]
    assert names(*addresses) == ["127.0.0.1:7505", "[::1]:7505", "a.b", "listen:localhost:7600"]


def test_socket_files_of_the_same_name_are_named_by_their_whole_address() -> None:
    assert names("unix:/a/vpn.sock", "unix:/b/vpn.sock", "unix:/b/other.sock") == [
        "unix:/a/vpn.sock",
        "unix:/b/vpn.sock",
        "other",
    ]


def test_socket_file_named_like_an_address_has_another_name() -> None:
    assert names("a:1", "unix:/run/a:1.sock") == ["a:1", "unix:/run/a:1.sock"]


def test_every_malformed_address_is_reported() -> None:
    first, second = problems("localhost", "a:1", "/run/x.sock")
    assert first.startswith("'localhost' is not an address")
    assert second == "'/run/x.sock' is a path: put unix: before it"


def test_duplicate_address_is_reported_in_its_canonical_form() -> None:
    assert problems("A:1", "a:1", "b:1", "a:01") == ["a:1 is given twice: keep one"]


def test_no_address_and_no_pattern_is_an_error() -> None:
    assert problems() == ["no address: add one"]


def test_name_too_long_for_a_label_is_refused() -> None:
    name = "x" * 65
    assert problems(f"unix:/{name}.sock") == [
        f"'{name}' can't be a daemon's name: name it in a configuration file"
    ]


def test_names_are_unique_with_any_addresses() -> None:
    addresses = ["unix:/a", "unix:/b/a", "unix:/a.a", "a:2", "listen:a:2", "unix:/c/a:2"]
    assert len(set(names(*addresses))) == len({parse_endpoint(text) for text in addresses})
