import pytest

from exporter.web.compression import accepts_gzip


@pytest.mark.parametrize(
    "header",
    ["gzip", "GZIP", "gzip;q=1", "gzip;q=0.001", "deflate, gzip", "br;q=1.0 , gzip ; q=0.5"],
)
def test_who_names_gzip_gets_it(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "identity",
        "deflate, br",
        "*",
        "gzip;q=0",
        "gzip;q=0.0",
        "gzip; q=0.000",
        "gzip;Q = 0",
        "identity, gzip ;q=0 , br",
        "notgzip",
        "x;gzip",
        ",;,",
    ],
)
def test_who_refuses_gzip_or_does_not_name_it_does_not_get_it(header: str) -> None:
    assert not accepts_gzip(header)
