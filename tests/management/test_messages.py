"""The repr of a message shows no text of the daemon or of its peers."""

import pytest

from exporter.management.messages import (
    ErrorReply,
    Message,
    MultilineReply,
    Notification,
    SuccessReply,
    UnexpectedLine,
)


@pytest.mark.parametrize(
    "message",
    [
        SuccessReply(b"s3cret"),
        ErrorReply(b"unknown command [s3cret]"),
        MultilineReply((b"s3cret",)),
        Notification("PASSWORD", b"Auth-Token:s3cret", (b"x=s3cret",)),
        UnexpectedLine(b"s3cret"),
    ],
)
def test_the_repr_of_a_message_does_not_show_its_text(message: Message) -> None:
    assert "s3cret" not in repr(message)
    assert type(message).__name__ in repr(message)
