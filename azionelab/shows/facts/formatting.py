"""Simple formatting of texts: a subset of Markdown, as HTML that cannot do harm.

Paragraphs, line breaks, headings (of two levels), emphasis, lists, links. No HTML, no pictures, no code. markdown-it
makes the HTML and escapes what is HTML in the text; nh3 then keeps the tags and attributes named here only.
"""

import html

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = {"p", "br", "h2", "h3", "h4", "em", "strong", "ul", "ol", "li", "a", "blockquote"}
_RULES = [
    "heading",
    "list",
    "emphasis",
    "link",
    "newline",
    "blockquote",
    "autolink",
    "escape",
    "entity",
]
_MARKDOWN = MarkdownIt("zero", {"html": False, "breaks": True}).enable(_RULES)


def formatted(text: str, level: int = 3) -> Markup:
    """A typed text as safe HTML. Its headings are of `level`, 2 or 3, and below one of these of the next.

    The page has the levels above `level`; none is left out, as screen readers list headings by level.
    """
    tokens = _MARKDOWN.parse(text)
    below = False
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            top = token.tag in ("h1", "h2", "h3")
            below = below or top
            token.tag = f"h{level if top or not below else level + 1}"
    rendered = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    safe = nh3.clean(
        rendered,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel="noopener noreferrer",
    )
    return Markup(safe)  # noqa: S704 (cleaned)


def plain(text: str) -> str:
    """The same text without its marks, in one line, for descriptions that machines read."""
    return " ".join(html.unescape(nh3.clean(_MARKDOWN.render(text), tags=set())).split())
