from exporter.cli.discovered import told
from exporter.deployment import Finding, Kind


def test_what_is_not_watched_comes_first_each_with_its_daemon_and_place() -> None:
    warning = Finding(kind=Kind.EXPOSED, place="a.conf:2", text="whoever", daemon="a")
    general = Finding(kind=Kind.NO_FILE, place="*.conf", text="no file matches")
    blocking = Finding(kind=Kind.MALFORMED, place="b.conf:1", text="no", daemon="b", blocks=True)
    assert list(told([warning, general, blocking])) == [
        "Not watched:",
        "  b: b.conf:1: no",
        "",
        "Look at these:",
        "  a: a.conf:2: whoever",
        "  discover: *.conf: no file matches",
        "",
    ]


def test_nothing_is_said_of_nothing() -> None:
    assert list(told([])) == []
