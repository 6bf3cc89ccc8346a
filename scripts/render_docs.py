"""Renders the documentation as the pages that the exporter serves at `/docs/`.

python -m scripts.render_docs            writes exporter/web/docs/pages
python -m scripts.render_docs --check    exits with 1 if a page is out of date

Headings have the anchors that GitHub gives them. Links to other pages stay links. A file of the
repository that is no page is not there at run time: its name stays, as text. So do the descriptions
of images.
"""

import itertools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "exporter" / "web" / "docs" / "pages"

INDEX = "index"

_BASE = "../docs/"
"""Relative to `/docs/NAME`, and to the page of a daemon, which shows sections of these pages."""

_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


def sources() -> Mapping[str, Path]:
    """Return the Markdown files by the name of their page."""
    pages = {path.stem: path for path in sorted(ROOT.glob("docs/*.md"))}
    return {INDEX: ROOT / "README.md", "deploy": ROOT / "deploy" / "README.md", **pages}


def render_all() -> Mapping[str, str]:
    """Return the HTML of each page by its file name."""
    paths = {name: path.relative_to(ROOT).as_posix() for name, path in sources().items()}
    names = {path: name for name, path in paths.items()}
    return {
        f"{name}.html": render(_text(name, ROOT / path), PurePosixPath(path), names)
        for name, path in paths.items()
    }


def _text(name: str, path: Path) -> str:
    """Return the Markdown of a page; the index is the README's list of the documentation."""
    text = path.read_text(encoding="utf-8")
    if name == INDEX:
        _, _, documentation = text.partition("\n## Documentation\n")
        return f"# Documentation\n{documentation}"
    return text


def render(text: str, source: PurePosixPath, names: Mapping[str, str]) -> str:
    """Return Markdown as HTML.

    Args:
        text: the Markdown.
        source: the path of its file, relative to the repository.
        names: the names of all pages by the paths of their files.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    _set_anchors(tokens)
    for token in tokens:
        if token.children is not None:
            token.children = list(_convert(token.children, source, names))
    visible = [token for token in tokens if token.type != "html_block"]  # comments
    return str(markdown.renderer.render(visible, markdown.options, {}))


def _set_anchors(tokens: Sequence[Token]) -> None:
    """Give each heading its id; a second one of the same text gets `-1`, and so on."""
    counts: dict[str, int] = {}
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            anchor = anchor_of(_plain_text(inline.children or []))
            count = counts.get(anchor, 0)
            counts[anchor] = count + 1
            opening.attrSet("id", f"{anchor}-{count}" if count else anchor)


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return _NOT_IN_ANCHORS.sub("", heading.strip().lower()).replace(" ", "-")


def _plain_text(tokens: Sequence[Token]) -> str:
    return "".join(token.content for token in tokens if token.type in {"text", "code_inline"})


def _convert(
    tokens: Sequence[Token], source: PurePosixPath, names: Mapping[str, str]
) -> Iterator[Token]:
    """Yield inline tokens with the links of the served pages, and without images."""
    is_linked = True
    for token in tokens:
        if token.type == "image":
            yield Token("html_inline", "", 0, content=f"<em>{escape(token.content)}</em>")
        elif token.type == "link_open":
            url = _served_url(str(token.attrs["href"]), source, names)
            is_linked = url is not None
            if url is not None:
                token.attrSet("href", url)
                yield token
        elif token.type != "link_close" or is_linked:
            yield token


def _served_url(href: str, source: PurePosixPath, names: Mapping[str, str]) -> str | None:
    """Return the URL of a link on the served page, None for a file that is not served."""
    url = urlsplit(href)
    if url.scheme:
        return href
    path = normpath(source.parent / url.path) if url.path else str(source)
    if path not in names:
        return None
    name = "" if names[path] == INDEX else names[path]
    return f"{_BASE}{name}{f'#{url.fragment}' if url.fragment else ''}"


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with the files; return the exit code."""
    pages = render_all()
    written = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.html")}
    if arguments == ["--check"]:
        return int(written != pages)
    for name in written.keys() - pages.keys():
        (PAGES / name).unlink()
    for name, page in pages.items():
        (PAGES / name).write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
