"""A real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from tests.support.processes import PATIENCE

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# As long as `eventually`, in milliseconds.
expect.set_options(timeout=PATIENCE * 1_000)


# Not for the whole session: while it lives, Playwright's event loop runs in this thread, and no
# other test could start one.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright, browser_path: str) -> Iterator[Browser]:
    """A Chromium without a window."""
    browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
    yield browser
    browser.close()


@pytest.fixture
def launch_with_camera(
    playwright: Playwright, whole_browser_path: str
) -> Iterator[Callable[[Path], Browser]]:
    """Start a browser whose camera shows a video file over and over."""
    started: list[Browser] = []

    def launch(video: Path) -> Browser:
        camera = [
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={video}",
        ]
        started.append(
            playwright.chromium.launch(executable_path=whole_browser_path, args=QUIET + camera)
        )
        return started[-1]

    yield launch
    for browser in started:
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor's phone: English, 390 px wide."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page on which any error of a script fails the test, and so does a break of its policy."""
    return watched(context.new_page())


def watched(page: Page) -> Page:
    """Fail when a script of the page does or breaks its policy; wait for it with the tests' patience."""
    page.set_default_timeout(PATIENCE * 1_000)

    def fail(error: object) -> None:
        raise AssertionError(f"a script failed: {error}")

    def read(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            fail(message.text)

    page.on("pageerror", fail)
    page.on("console", read)
    return page
