import pytest

from exporter.config.schema import ClientsConfig, DaemonConfig, PrivacyMode
from exporter.config.target import Target
from exporter.management.endpoint import parse_endpoint
from exporter.management.errors import ConnectionRefused, DownReason, ReplyError, SessionClosed
from exporter.management.notifications import Fatal
from exporter.state.daemon import DaemonState
from exporter.state.down import DownState
from exporter.state.privacy import NoClientsPrivacy, PlainPrivacy, Privacy, PseudonymPrivacy

PRIVATE: tuple[Privacy, ...] = (PseudonymPrivacy(b"key"), NoClientsPrivacy())


def test_the_message_has_the_fatal_error() -> None:
    message = DownState(SessionClosed("closed"), "alice did it").message(PlainPrivacy())
    assert message == "closed; fatal error: alice did it"
    assert DownState(ReplyError("says 'alice'")).message(PlainPrivacy()) == "says 'alice'"


@pytest.mark.parametrize("privacy", PRIVATE)
def test_the_message_hides_text_of_the_daemon_under_privacy(privacy: Privacy) -> None:
    assert DownState(SessionClosed("closed"), "alice did it").message(privacy) == "closed"
    assert "alice" not in DownState(ReplyError("says 'alice'")).message(privacy)


@pytest.mark.parametrize("privacy", PRIVATE)
def test_the_message_always_has_the_exporters_own_text(privacy: Privacy) -> None:
    assert DownState(ConnectionRefused("nobody listens")).message(privacy) == "nobody listens"


def test_a_new_privacy_mode_hides_earlier_text() -> None:
    daemon = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
    record = DaemonState(Target(daemon))
    record.on_notification("FATAL", Fatal("alice did it"))
    record.on_down(SessionClosed("closed"))
    assert "alice" in record.down_message
    record.reconfigure(Target(daemon, ClientsConfig(privacy=PrivacyMode.NONE)))
    assert record.down_message == "closed"
    assert record.down_reason is DownReason.CLOSED
