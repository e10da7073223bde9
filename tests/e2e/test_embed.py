"""The list and the button in frames of the theatre's own site, which is another origin, in a browser."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from azionelab.shows.models import Show
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_performance

pytestmark = pytest.mark.usefixtures("in_app")

HOST_PAGE = """<!doctype html><html lang="it"><title>Il teatro</title><h1>Il teatro</h1>
<a href="/">Prima</a>
<iframe id="list" src="{site}/it/embed" title="Cartellone" width="100%" height="300"></iframe>
<iframe id="one" src="{site}/en/embed/performances/{one}" title="Prenota" width="100%" height="300"></iframe>
<script src="{site}/static/embed.js" async></script>"""


class Theatre(ThreadingHTTPServer):
    """The theatre's own site: one page, with a strict policy."""

    page = ""
    policy = ""
    daemon_threads = True

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Theatre

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def theatre() -> Iterator[Theatre]:
    server = Theatre(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_of_another_origin_shows_the_list_and_leads_to_the_form(
    start_site: Callable[..., Site], theatre: Theatre, browser: Browser
) -> None:
    long_title = "La lunga notte di un piccolo teatro di provincia"
    evening = a_performance(show=Show(slug="notte", title=long_title, published=True))
    for _ in range(4):
        a_performance()
    site = start_site(EMBED_ORIGINS=theatre.origin)
    theatre.page = HOST_PAGE.format(site=site.url, one=evening.id)
    theatre.policy = f"default-src 'none'; script-src {site.url}; frame-src {site.url}"
    context = browser.new_context(viewport={"width": 390, "height": 800}, locale="it-IT")
    page = watched(context.new_page())
    page.goto(theatre.origin)
    # As high as what it shows: a list of five does not fit into the frame's first height, and one evening leaves room.
    page.wait_for_function("() => document.querySelector('#list').offsetHeight > 310")
    page.wait_for_function("() => document.querySelector('#one').offsetHeight < 290")
    listed = next(frame for frame in page.frames if frame.url.endswith("/it/embed"))
    scrolls = "document.documentElement.scrollHeight - innerHeight"
    listed.wait_for_function(f"() => {scrolls} <= 0")
    assert listed.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    before = listed.evaluate("innerHeight")
    page.set_viewport_size({"width": 320, "height": 800})  # texts wrap
    listed.wait_for_function(f"() => innerHeight > {before} && {scrolls} <= 0")
    # A height that another origin claims is not believed.
    page.evaluate(
        "new Promise(done => { addEventListener('message', done, {once: true});"
        " postMessage({azionelabHeight: 5000}, '*') })"
    )
    assert page.evaluate("document.querySelector('#list').offsetHeight") < 5000
    # By keyboard: into the list, through it, and on to the form, which takes the place of the page around.
    page.get_by_role("link", name="Prima").focus()
    page.keyboard.press("Tab")
    book = page.frame_locator("#list").get_by_role("link", name="Prenota")
    expect(book.first).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(book.last).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    last = page.frame_locator("#one").get_by_role("link", name="Book")
    expect(last).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/en/performances/{evening.id}/book")
    page.get_by_label("Name", exact=True).fill("Ada Rossi")
    page.get_by_label("E-mail", exact=True).fill("ada@example.org")
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    context.close()
    # Without scripts on that page it is a frame with a bar to scroll, and its links lead on as well.
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(theatre.origin)
    page.frame_locator("#one").get_by_role("link", name="Book").click()
    page.wait_for_url(f"{site.url}/en/performances/{evening.id}/book")
    plain.close()


def test_only_listed_origins_may_frame_only_these_pages(
    make_app: Callable[..., object], client: FlaskClient
) -> None:
    evening = a_performance()
    listed = make_app(EMBED_ORIGINS="https://www.teatro.it,https://teatro.it").test_client()  # type: ignore[attr-defined]
    pages = ("/it/embed", f"/en/embed/performances/{evening.id}", "/it/embed/performances/99999")

    def ancestors(answer: object) -> str:
        policy: str = answer.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
        assert "script-src 'self'" in policy
        return policy.rpartition("frame-ancestors ")[2]

    for address in pages:
        answer = listed.get(address)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "<form" not in answer.text
        assert ancestors(answer) == "https://www.teatro.it https://teatro.it"
        assert ancestors(client.get(address)) == "'none'"
    for address in ("/it/", f"/it/performances/{evening.id}/book", "/staff/login"):
        assert ancestors(listed.get(address)) == "'none'"
    assert f"/performances/{evening.id}/book" in listed.get("/it/embed?free=1").text
    assert f"/performances/{evening.id}/book" not in listed.get("/it/embed?show=other").text
