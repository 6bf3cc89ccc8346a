"""HTML elements. Text in them is escaped, whatever it contains; only an element is not.

The pages have no other way to write HTML, but for the template of the frame.
"""

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"br", "input"})
"""Elements without content and end tag."""


class Html(str):
    """Text that is HTML already: made by `element` and `join`, or the project's own file."""

    __slots__ = ()


def element(
    tag: str, *content: str, attributes: dict[str, str] | None = None, **names: str
) -> Html:
    """Return an element.

    Args:
        tag: its name.
        content: texts, which are escaped, and elements.
        attributes: its attributes by name.
        names: the same, for names that are identifiers; `class_` is `class`.
    """
    if attributes:
        names = {**attributes, **names}
    written = "".join([f' {name.rstrip("_")}="{escape(value)}"' for name, value in names.items()])
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(content)}</{tag}>")


def fill(template: Html, *texts: str) -> Html:
    """Return an element with texts in the places of `%s`, in order: quicker than `element`.

    They are escaped, elements excepted, in the values of attributes as between tags.
    """
    escaped = [text if isinstance(text, Html) else escape(text) for text in texts]
    return Html(template % tuple(escaped))


def join(parts: Iterable[str], separator: str = "") -> Html:
    """Return texts, which are escaped, and elements one after the other."""
    return Html(
        separator.join([part if isinstance(part, Html) else escape(part) for part in parts])
    )


def ascii_only(html: Html) -> Html:
    """Return HTML with numbers in place of other characters than ASCII.

    One wide character makes each of a large page's characters take four bytes.
    """
    return Html(html.encode("ascii", "xmlcharrefreplace").decode("ascii"))
