"""The built front end: names of sources to addresses of hashed files, and their serving.

`npm run build` in static_frontend/ writes the files and a manifest. In production nginx serves
them; on a bare machine the route here does.
"""

import json
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, send_from_directory

URL_PREFIX = "/static"
_YEAR = 365 * 24 * 3600  # seconds; a hashed name never changes its content


class FrontEndMissing(Exception):
    """There is no built front end, or it lacks what a template names."""


def init_assets(app: Flask) -> None:
    """Serve FRONTEND_DIST under /static/ and give templates `asset(source)`.

    The manifest is read once, when a page first needs it: commands work without a front end.
    """
    dist = Path(app.config["FRONTEND_DIST"])
    addresses: dict[str, str] = {}

    def asset(source: str) -> str:
        """The address of what became of `source`; raises FrontEndMissing."""
        if not addresses:
            addresses.update(_read_manifest(dist))
        try:
            return addresses[source]
        except KeyError:
            raise FrontEndMissing(f"the front end in {dist} was built without {source}") from None

    def static(filename: str) -> Response:
        # Vite's notes on the build are no visitor's business.
        if filename.startswith("."):
            abort(404)
        hashed = filename.startswith("assets/")
        response = send_from_directory(dist, filename, max_age=_YEAR if hashed else 300)
        response.cache_control.public = True
        if hashed:
            response.cache_control.immutable = True
        return response

    app.add_template_global(asset, "asset")
    app.add_url_rule(f"{URL_PREFIX}/<path:filename>", "static", static)


def _read_manifest(dist: Path) -> dict[str, str]:
    try:
        manifest: dict[str, Any] = json.loads((dist / ".vite" / "manifest.json").read_bytes())
    except FileNotFoundError:
        raise FrontEndMissing(
            f"there is no built front end in {dist}: run `make run`, or `npm ci` and"
            " `npm run build` in static_frontend/"
        ) from None
    return {
        source: f"{URL_PREFIX}/{built['file']}"
        for source, built in manifest.items()
        if built.get("isEntry")
    }
