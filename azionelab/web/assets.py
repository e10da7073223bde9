"""The built front end: maps source names to the URLs of hashed files, and serves them.

`npm run build` in static_frontend/ writes the files and a manifest. In production nginx serves the files;
without nginx the route here does.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, send_from_directory

URL_PREFIX = "/static"
_EXTENSION = "azionelab-front-end"
_YEAR = 365 * 24 * 3600  # seconds; a hashed name never changes its content


class FrontEndMissing(Exception):
    """There is no built front end, or it lacks a source that a template names."""


@dataclass(frozen=True)
class Bundle:
    """URLs that a page's sources load: `files` at once, `later` by dynamic imports."""

    files: list[str]
    later: list[str]


class FrontEnd:
    """The build in a folder. The manifest is read on first use."""

    def __init__(self, dist: Path) -> None:
        self._dist = dist

    def url(self, source: str) -> str:
        """The URL of the file built from `source`; raises FrontEndMissing."""
        return _url(self._get_entry(source)["file"])

    def font(self, name: str) -> str:
        """The URL of a typeface's file of Latin letters, as in `bodoni-moda`; raises FrontEndMissing."""
        for source, built in self._manifest.items():
            if source.endswith(f"/{name}-latin-wght-normal.woff2"):
                return _url(built["file"])
        raise FrontEndMissing(f"the front end in {self._dist} was built without the font {name}")

    def bundle(self, *sources: str) -> Bundle:
        """All files that `sources` need; raises FrontEndMissing."""
        files: dict[str, None] = {}
        later: dict[str, None] = {}
        for source in sources:
            self._get_entry(source)
            self._collect(source, files, later)
        return Bundle(
            files=[_url(file) for file in files],
            later=[_url(file) for file in later if file not in files],
        )

    def _collect(self, source: str, files: dict[str, None], later: dict[str, None]) -> None:
        built = self._manifest[source]
        if built["file"] in files:
            return
        files |= dict.fromkeys([built["file"], *built.get("css", []), *built.get("assets", [])])
        for imported in built.get("imports", []):
            self._collect(imported, files, later)
        for imported in built.get("dynamicImports", []):
            self._collect(imported, later, later)

    def _get_entry(self, source: str) -> dict[str, Any]:
        built: dict[str, Any] = self._manifest.get(source, {})
        if not built.get("isEntry"):
            raise FrontEndMissing(f"the front end in {self._dist} was built without {source}")
        return built

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        try:
            manifest: dict[str, Any] = json.loads(
                (self._dist / ".vite" / "manifest.json").read_bytes()
            )
        except FileNotFoundError:
            raise FrontEndMissing(
                f"there is no built front end in {self._dist}: run `make run`, or `npm ci` and"
                " `npm run build` in static_frontend/"
            ) from None
        return manifest


def init_assets(app: Flask) -> None:
    """Serve FRONTEND_DIST under /static/ and give templates `asset(source)`.

    Commands work without a front end: only pages read the manifest.
    """
    dist = Path(app.config["FRONTEND_DIST"])
    app.extensions[_EXTENSION] = FrontEnd(dist)

    def static(filename: str) -> Response:
        # Vite's manifest is not public.
        if filename.startswith("."):
            abort(404)
        hashed = filename.startswith("assets/")
        response = send_from_directory(dist, filename, max_age=_YEAR if hashed else 300)
        response.cache_control.public = True
        if hashed:
            response.cache_control.immutable = True
        return response

    app.add_template_global(front_end(app).url, "asset")
    app.add_template_global(front_end(app).font, "font")
    app.add_url_rule(f"{URL_PREFIX}/<path:filename>", "static", static)


def front_end(app: Flask) -> FrontEnd:
    """The application's front end."""
    found: FrontEnd = app.extensions[_EXTENSION]
    return found


def _url(file: str) -> str:
    return f"{URL_PREFIX}/{file}"
