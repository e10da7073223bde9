"""axe, which looks for what keeps people from using a page."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Only the violations leave the browser: sending what axe finds right takes longer than finding it.
_VIOLATIONS = """
axe.run({resultTypes: ["violations"]}).then(
    ({violations}) => violations.map(({id, nodes}) => `${id}: ${nodes[0].html.slice(0, 200)}`)
)
"""


def violations(page: Page) -> list[str]:
    """The rules that this page breaks, each with the first element that does."""
    # Ends in a number: the script's own value would be sent too.
    page.evaluate(f"{AXE_SCRIPT};0")
    found: list[str] = page.evaluate(_VIOLATIONS)
    return found
