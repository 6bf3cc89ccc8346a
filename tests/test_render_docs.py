"""The pages of the documentation that the exporter serves."""

from pathlib import PurePosixPath

import pytest

from scripts.render_docs import anchor_of, main, render

NAMES = {"README.md": "index", "docs/metrics.md": "metrics", "deploy/README.md": "deploy"}


def render_page(text: str, source: str = "docs/configuration.md") -> str:
    return render(text, PurePosixPath(source), NAMES).strip()


def test_the_committed_pages_are_up_to_date() -> None:
    assert main(["--check"]) == 0, "run `make docs`"


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Who may connect?", "who-may-connect"),
        ("What it costs the daemon", "what-it-costs-the-daemon"),
        ("client_auth", "client_auth"),
        ("Access: users, TLS & more", "access-users-tls--more"),
        ("A / B", "a--b"),
        ("Änderungen", "änderungen"),
    ],
)
def test_anchors_are_those_of_github(heading: str, anchor: str) -> None:
    assert anchor_of(heading) == anchor


def test_headings_have_anchors_of_their_text() -> None:
    assert render_page("## The `slot` *and* [more](metrics.md)") == (
        '<h2 id="the-slot-and-more">The <code>slot</code> <em>and</em> '
        '<a href="../docs/metrics">more</a></h2>'
    )


def test_a_second_heading_of_the_same_text_has_a_number() -> None:
    html = render_page("# A\n\n# A\n\n# A")
    assert [f'id="{anchor}"' in html for anchor in ("a", "a-1", "a-2")] == [True] * 3


@pytest.mark.parametrize(
    ("source", "href", "url"),
    [
        ("docs/configuration.md", "metrics.md#clients", "../docs/metrics#clients"),
        ("docs/metrics.md", "#clients", "../docs/metrics#clients"),
        ("docs/metrics.md", "../README.md", "../docs/"),
        ("docs/metrics.md", "../deploy/README.md#systemd", "../docs/deploy#systemd"),
        ("README.md", "docs/metrics.md", "../docs/metrics"),
        ("deploy/README.md", "../docs/metrics.md", "../docs/metrics"),
        ("README.md", "https://example.org/a?b=1", "https://example.org/a?b=1"),
    ],
)
def test_links_between_pages_are_those_of_the_exporter(source: str, href: str, url: str) -> None:
    assert render_page(f"[x]({href})", source) == f'<p><a href="{url}">x</a></p>'


@pytest.mark.parametrize("href", ["../config.example.yaml", "../grafana", "other.md"])
def test_the_name_of_a_file_that_is_no_page_is_text(href: str) -> None:
    assert render_page(f"see [`x`]({href}), [y](metrics.md)") == (
        '<p>see <code>x</code>, <a href="../docs/metrics">y</a></p>'
    )


def test_images_and_comments_are_left_out() -> None:
    html = render_page("<!-- generated -->\n\n![The <fleet>](images/fleet.png)")
    assert html == "<p><em>The &lt;fleet&gt;</em></p>"


def test_tables_are_rendered() -> None:
    assert "<td><code>a|b</code></td>" in render_page("| x |\n|---|\n| `a\\|b` |")
