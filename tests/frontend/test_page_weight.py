"""How much a visitor loads for the programme. Its timing is measured by `make page-weight`."""

import gzip
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.web.assets import front_end

BUDGET = 80_000  # bytes of HTML, CSS, JS and fonts, compressed (docs/performance.md)


@pytest.mark.usefixtures("demo_season")
def test_the_programme_of_a_season_is_within_its_budget(app: Flask, client: FlaskClient) -> None:
    page = client.get("/it/").text
    assert page.count('class="stub') > 20
    loaded = set(re.findall(r'(?:src|href)="(/static/[^"]+\.(?:css|js|woff2))"', page))
    assert {front_end(app).font(name) for name in ("bodoni-moda", "figtree")} <= loaded
    # nginx compresses a page as it is sent, and files once, harder. Fonts are compressed already.
    size = len(gzip.compress(page.encode(), 1))
    size += sum(len(gzip.compress(client.get(file).data)) for file in loaded)
    assert size < BUDGET
    assert not re.findall(
        r'(?:src|srcset|href)="(?:https?:)?//(?!127\.0\.0\.1)[^"]+\.(?:css|js|woff2|png|jpg)', page
    )
