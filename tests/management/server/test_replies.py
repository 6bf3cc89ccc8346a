from exporter.management.server.replies import encode_lines, error, multiline, success


def test_a_reply_of_one_line() -> None:
    assert success("pid=1") == b"SUCCESS: pid=1\r\n"
    assert error("kill parse") == b"ERROR: kill parse\r\n"


def test_a_listing_ends_with_end() -> None:
    assert multiline([]) == b"END\r\n"
    assert multiline([b"a", b"b"]) == b"a\r\nb\r\nEND\r\n"


def test_bytes_that_are_no_utf_8_are_sent_as_they_came() -> None:
    assert encode_lines(["zoë", "\udcff"]) == b"zo\xc3\xab\r\n\xff\r\n"
    assert encode_lines([]) == b""
