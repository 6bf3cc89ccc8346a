"""Messages hold what peers and daemons said, and show none of it."""

import pytest

from exporter.management.messages import (
    Failure,
    Listing,
    Message,
    Notification,
    Success,
    Unexpected,
)


@pytest.mark.parametrize(
    "message",
    [
        Success(b"s3cret"),
        Failure(b"unknown command [s3cret]"),
        Listing((b"s3cret",)),
        Notification("PASSWORD", b"Auth-Token:s3cret", (b"x=s3cret",)),
        Unexpected(b"s3cret"),
    ],
)
def test_a_message_does_not_show_what_it_says(message: Message) -> None:
    assert "s3cret" not in repr(message)
    assert type(message).__name__ in repr(message)
