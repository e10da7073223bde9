"""The built front end as the application serves it."""

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from werkzeug.test import TestResponse

from azionelab.web.assets import FrontEndMissing, front_end, init_assets

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "static_frontend" / "dist"


def an_app(dist: Path) -> Flask:
    app = Flask("bare", static_folder=None)
    app.config["FRONTEND_DIST"] = dist
    init_assets(app)
    return app


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A small build: one entry, one chunk that no template may name."""
    manifest = {
        "src/main.ts": {"file": "assets/main-1a2b.js", "isEntry": True},
        "_chunk.js": {"file": "assets/chunk-3c4d.js"},
    }
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "main-1a2b.js").write_text("export {};")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    return tmp_path


def fetch(app: Flask, address: str) -> TestResponse:
    # Buffered and closed: the answer would hold its file open.
    with app.test_client().get(address, buffered=True) as answer:
        return answer


def rendered(app: Flask, source: str) -> str:
    with app.app_context():
        return render_template_string("{{ asset(name) }}", name=source)


def test_a_source_becomes_the_address_of_its_hashed_file(dist: Path) -> None:
    app = an_app(dist)
    address = rendered(app, "src/main.ts")
    assert address == "/static/assets/main-1a2b.js"
    answer = fetch(app, address)
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.cache_control.immutable
    assert answer.cache_control.max_age == 365 * 24 * 3600


def test_a_file_without_a_hash_is_looked_at_again(dist: Path) -> None:
    answer = fetch(an_app(dist), "/static/favicon.svg")
    assert answer.status_code == 200
    assert answer.cache_control.max_age == 300
    assert not answer.cache_control.immutable


@pytest.mark.parametrize("source", ["src/lost.ts", "_chunk.js"])
def test_a_source_that_was_not_built_is_named(dist: Path, source: str) -> None:
    with pytest.raises(FrontEndMissing, match=re.escape(source)):
        rendered(an_app(dist), source)


def test_a_missing_build_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FrontEndMissing, match=r"make run.*npm run build"):
        rendered(an_app(tmp_path), "src/main.ts")


@pytest.mark.parametrize("path", [".vite/manifest.json", "../secret", "%2e%2e/secret", "lost.js"])
def test_nothing_but_the_build_is_served(dist: Path, path: str) -> None:
    (dist.parent / "secret").write_text("secret")
    assert fetch(an_app(dist), f"/static/{path}").status_code == 404


def test_the_real_build_has_all_that_templates_name() -> None:
    app = an_app(DIST)
    templates = ROOT / "azionelab" / "templates"
    named = {
        source
        for template in templates.rglob("*.html")
        for source in re.findall(r"asset\(['\"]([^'\"]+)", template.read_text())
    }
    assert "src/styles/site.css" in named
    for source in named:
        assert fetch(app, rendered(app, source)).status_code == 200


def test_the_visitors_typefaces_are_two_small_files_that_browsers_keep() -> None:
    app = an_app(DIST)
    fonts = [front_end(app).font(name) for name in ("bodoni-moda", "figtree")]
    answers = [fetch(app, font) for font in fonts]
    assert all(answer.data[:4] == b"wOF2" for answer in answers)
    assert {answer.mimetype for answer in answers} == {"font/woff2"}
    assert all(answer.cache_control.immutable for answer in answers)
    assert sum(len(answer.data) for answer in answers) < 50_000
    # Each is named by the stylesheet by the same address: a browser would load it twice otherwise.
    style = fetch(app, front_end(app).url("src/styles/site.css")).text
    assert all(font in style for font in fonts)


def test_the_scanners_webassembly_comes_from_our_own_server() -> None:
    (wasm,) = (DIST / "assets").glob("zxing_reader-*.wasm")
    answer = fetch(an_app(DIST), f"/static/assets/{wasm.name}")
    assert answer.mimetype == "application/wasm"
    loaders = [p for p in (DIST / "assets").glob("*.js") if wasm.name in p.read_text()]
    assert loaders, "no script names the bundled file"


def test_a_bundle_is_what_its_sources_load_at_once_and_what_they_may_load_later(
    tmp_path: Path,
) -> None:
    manifest = {
        "app.ts": {
            "file": "app.js",
            "isEntry": True,
            "imports": ["_shared.js"],
            "css": ["app.css"],
            "dynamicImports": ["reader.ts"],
        },
        "_shared.js": {"file": "shared.js"},
        "reader.ts": {"file": "reader.js", "imports": ["_shared.js"], "assets": ["reader.wasm"]},
    }
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(manifest))
    bundle = front_end(an_app(tmp_path)).bundle("app.ts")
    assert bundle.files == ["/static/app.js", "/static/app.css", "/static/shared.js"]
    assert bundle.later == ["/static/reader.js", "/static/reader.wasm"]


def test_the_door_app_is_small_and_brings_its_reader_only_when_it_is_needed() -> None:
    bundle = front_end(an_app(DIST)).bundle("src/door/main.ts", "src/styles/app.css")
    scripts = [DIST / address.removeprefix("/static/") for address in bundle.files]
    # The page itself and the worker come on top of these; docs/performance.md has it all.
    assert sum(len(gzip.compress(path.read_bytes())) for path in scripts) < 60_000
    assert not any("zxing" in address or "ponyfill" in address for address in bundle.files)
    assert sum(address.endswith(".wasm") for address in bundle.later) == 1


def test_the_worker_is_one_script_as_importscripts_wants_it() -> None:
    address = front_end(an_app(DIST)).url("src/door/sw.ts")
    script = (DIST / address.removeprefix("/static/")).read_text()
    assert not re.search(r"\bimport\b|\bexport\b", script)


@pytest.mark.parametrize("code", [404, 410, 413, 429, 500, 503])
def test_a_static_error_page_needs_nothing_else(code: int) -> None:
    page = (DIST / "errors" / f"{code}.html").read_text()
    assert "Guarda il cartellone" in page, "the catalogue's words"
    assert not re.search(r"<(script|link|img)\b|url\(|@import", page)
    assert re.findall(r'href="([^"]+)"', page) == ["/it/", "/en/"]
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page
