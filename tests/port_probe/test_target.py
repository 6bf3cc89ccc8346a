import pytest

from exporter.port_probe.target import ProbeProtocol, ProbeTarget, parse_target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("a:1/udp", ProbeTarget("a", 1, ProbeProtocol.UDP)),
        ("192.0.2.1:65535/tcp", ProbeTarget("192.0.2.1", 65535, ProbeProtocol.TCP)),
        ("[2001:db8::1]:1194/udp6", ProbeTarget("2001:db8::1", 1194, ProbeProtocol.UDP, 6)),
        ("vpn.example.org:1194/tcp4", ProbeTarget("vpn.example.org", 1194, ProbeProtocol.TCP, 4)),
    ],
)
def test_canonical_text_is_parsed_and_printed(text: str, target: ProbeTarget) -> None:
    assert parse_target(text) == target
    assert str(target) == text


def test_other_spellings_have_a_canonical_text() -> None:
    assert str(parse_target("VPN.Example.ORG:01194/udp")) == "vpn.example.org:1194/udp"
    assert str(parse_target("[2001:DB8:0::1]:1/udp")) == "[2001:db8::1]:1/udp"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no protocol"),
        ("a:1", "has no protocol"),
        ("a:1/", "has no protocol"),
        ("a:1/UDP", "has no protocol"),
        ("a:1/udp5", "has no protocol"),
        ("a:1/sctp", "has no protocol"),
        ("a/udp", "is not an address"),
        (":1/udp", "is not a host"),
        ("2001:db8::1:1/udp", "is not an address"),
        ("a:0/udp", "port 0 does not exist"),
        ("a:65536/udp", "port 65536 does not exist"),
        ("300.0.2.1:1/udp", "is not an IPv4 address"),
        ("[x]:1/udp", "is not an IPv6 address"),
        ("a\n:1/udp", "is not"),
    ],
)
def test_other_text_has_a_problem_and_a_hint(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        parse_target(text)
    assert "vpn.example.org:1194/udp" in str(raised.value) or "does not exist" in str(raised.value)
