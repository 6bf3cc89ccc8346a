"""The commands and configurations in a document, as its reader copies them."""

import re
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

from tests_install.chroot import ROOT


class Block(NamedTuple):
    """A code block, and the heading above it."""

    heading: str
    text: str

    @property
    def first_word(self) -> str:
        return self.text.split(maxsplit=1)[0]


def blocks(document: str) -> list[Block]:
    """Return the code blocks of a document in their order."""
    found: list[Block] = []
    heading = ""
    previous = ""
    for token in MarkdownIt("commonmark").enable("table").parse((ROOT / document).read_text()):
        if token.type == "inline" and previous == "heading_open":
            heading = token.content
        elif token.type in {"code_block", "fence"}:
            found.append(Block(heading, token.content))
        previous = token.type
    return found


def files_to_install(document: str, heading: str) -> list[tuple[Path, str]]:
    """Return each file of the table of a section, and the directory it is installed in."""
    _, _, section = (ROOT / document).read_text().partition(f"\n## {heading}\n")
    section = section.partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| `(/[^`]+)` \|$", section, re.MULTILINE)
    home = (ROOT / document).parent
    return [
        (home / link, directory)
        for cell, directory in rows
        for link in re.findall(r"\]\(([^)]+)\)", cell)
        if not link.startswith("../")
    ]
