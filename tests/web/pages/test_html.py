from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.web.pages.html import Html, element, fill, join

HOSTILE = "<script>alert('&amp;')</script>"


class Parsed(HTMLParser):
    """The elements with their attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


MARKUP = st.text(alphabet="<>&\"'=/;#x ")
ANY_TEXT = st.text(alphabet=st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]))


@given(MARKUP | ANY_TEXT)
def test_any_text_stays_text(text: str) -> None:
    parsed = Parsed(element("p", text, title=text))
    assert parsed.elements == [("p", {"title": text})]
    assert parsed.text == text


@given(MARKUP | ANY_TEXT, st.text("%s("))
def test_a_filled_template_is_the_element_with_these_texts(text: str, other: str) -> None:
    template = element("p", element("b", "%s"), Html("%s"), title="%s")
    inner, bold = element("i", other), element("b", other)
    assert fill(template, text, other, inner) == element("p", bold, inner, title=text)


def test_elements_are_not_escaped_again() -> None:
    inner = element("b", HOSTILE)
    assert element("p", inner, " & ", "x") == f"<p>{inner} &amp; x</p>"


def test_a_join_escapes_texts_only() -> None:
    assert join(["<", element("br"), ">"], ", ") == "&lt;, <br>, &gt;"


@pytest.mark.parametrize("operation", [lambda html: html + HOSTILE, str, lambda html: f"{html}"])
def test_what_is_made_of_html_otherwise_is_escaped(operation: object) -> None:
    assert callable(operation)
    text = operation(Html("<b>"))
    assert not isinstance(text, Html)
    assert element("p", text) != f"<p>{text}</p>"


def test_names_of_attributes_may_be_words_of_python_or_have_hyphens() -> None:
    assert element("td", class_="up", attributes={"data-is": "a"}) == (
        '<td data-is="a" class="up"></td>'
    )
