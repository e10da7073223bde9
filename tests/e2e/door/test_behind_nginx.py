"""The app behind nginx, as production serves it: with nginx's own headers, which each of its files brings."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Response

from tests.conftest import Site
from tests.factories import a_party, fresh
from tests.support.camera import foyer, seen, ticket
from tests.support.door import Phone, tonight
from tests.support.nginx import Nginx, lay_out_front_end

pytestmark = pytest.mark.usefixtures("in_app")

_HASH = re.compile(r"-[\w-]{8}(?=\.\w+$)")  # in the name of a built file


def test_a_ticket_in_the_dark_is_read_under_the_policies_of_production(
    scanner: Phone, show: Callable[..., None], live_site: Site, tmp_path: Path
) -> None:
    # Only the worker reads such a picture, and only with the reader that the page compiles for it.
    nginx = Nginx(
        tmp_path,
        lay_out_front_end(tmp_path / "front-end"),
        BACKEND=live_site.url.removeprefix("http://"),
        ALLOWED_HOSTS="127.0.0.1",
    )
    policies: dict[str, str] = {}

    def note(answer: Response) -> None:
        name = answer.url.rpartition("/")[2]
        policies[_HASH.sub("", name)] = answer.headers.get("content-security-policy", "")

    performance = tonight()
    party = a_party(performance, 2)
    show((foyer(seen(ticket(party)), 0.05), 1))
    with nginx.running():
        scanner.site = Site(f"http://127.0.0.1:{nginx.http_port}", live_site.program)
        scanner.context.on("response", note)
        scanner.join(performance).start_camera()
        scanner.expect_verdict("Let 2 in", "Ada Rossi")
        scanner.wait_until_installed()
        # Kept by the phone, with the same policies.
        scanner.go_offline()
        scanner.open()
        scanner.scan(party.reference)
        scanner.expect_verdict("Already in")
        scanner.page.goto("about:blank")
    assert fresh(party.id).admitted == 2
    assert "'wasm-unsafe-eval'" in policies["app"]
    assert "default-src 'self'" in policies["second-look.worker.js"]
    assert "'wasm-unsafe-eval'" not in policies["second-look.worker.js"]
