"""Fixtures: phones at the door, and cameras that show what a test gives them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.conftest import Site
from tests.e2e.conftest import QUIET, watched
from tests.support.camera import Scene, film, table
from tests.support.door import Phone

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "locale": "en-GB"}


@pytest.fixture
def make_phone(browser: Browser, live_site: Site) -> Iterator[Callable[..., Phone]]:
    """Make a phone; options go to the Playwright context."""
    made: list[BrowserContext] = []

    def make(site: Site = live_site, **facts: Any) -> Phone:
        made.append(browser.new_context(**PHONE | facts))
        return Phone(watched(made[-1].new_page()), site)

    yield make
    for context in made:
        context.close()


@pytest.fixture
def phone(make_phone: Callable[..., Phone]) -> Phone:
    """A phone that is not enrolled yet."""
    return make_phone()


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video file that the fake camera plays."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    film(path, (table(), 1))
    return path


@pytest.fixture(scope="module")
def browser_with_camera(
    playwright: Playwright, whole_browser_path: str, reel: Path
) -> Iterator[Browser]:
    """A browser whose fake camera plays the video in a loop."""
    camera = [
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={reel}",
    ]
    browser = playwright.chromium.launch(executable_path=whole_browser_path, args=QUIET + camera)
    yield browser
    browser.close()


@pytest.fixture
def show(reel: Path) -> Callable[..., None]:
    """Set what the camera shows when it is turned on next: scenes with their seconds."""

    def show(*scenes: Scene) -> None:
        film(reel, *scenes)

    return show


@pytest.fixture
def scanner(browser_with_camera: Browser, live_site: Site) -> Iterator[Phone]:
    """A phone with permission to use its camera."""
    context = browser_with_camera.new_context(**PHONE, permissions=["camera"])
    yield Phone(watched(context.new_page()), live_site)
    context.close()


@pytest.fixture
def scans(database: psycopg.Connection[Any]) -> Callable[[], list[Any]]:
    """All scans in the scan log, in the order in which the server received them."""

    def scans() -> list[Any]:
        return database.execute(
            """
            SELECT scan.id::text, verdict, scan.people, claimed, door, scanned_at, received_at,
                   reference, undone_at IS NOT NULL AS undone
            FROM scan LEFT JOIN reservation ON reservation.id = reservation_id
            LEFT JOIN admission ON admission.scan_id = scan.id
            ORDER BY received_at, scanned_at
            """
        ).fetchall()

    return scans
