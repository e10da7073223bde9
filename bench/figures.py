"""Write measured figures into a page of the docs, between two marks."""

from pathlib import Path


def write(page: Path, figures: str, command: str = "make bench") -> None:
    """Replace a command's figures in a page."""
    start, end = f"<!-- {command} writes from here -->", "<!-- to here -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(start)
    text = f"{before}{start}\n\n{figures}\n\n{end}{rest.partition(end)[2]}"
    page.write_text(text, encoding="utf-8")
