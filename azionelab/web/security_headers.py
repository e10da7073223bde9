"""Headers of every response: content security policy, referrer, permissions, language, caching."""

from flask import Response, request

from azionelab.languages import address_language, current_language, language_tag

_POLICY = (
    "default-src 'self'; img-src 'self' data:; script-src 'self' 'wasm-unsafe-eval';"
    " style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors "
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # URLs contain tokens, so other sites must not get the referrer. Not "no-referrer": it also hides the
    # Origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def keep_private(response: Response) -> Response:
    """Keep a page out of caches and search engines (`after_request` of visitors' own pages)."""
    response.cache_control.no_store = True
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def allow_frames(response: Response, origins: list[str]) -> Response:
    """Let pages of `origins`, and nobody else, show this page in a frame. It must offer nothing that a press changes."""
    response.headers["Content-Security-Policy"] = _POLICY + (" ".join(origins) or "'none'")
    return response


def add_headers(response: Response) -> Response:
    """Add the headers (`after_request`); pages without Cache-Control get `no-store`."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", f"{_POLICY}'none'")
    headers.extend(_HEADERS)
    if response.mimetype == "text/html":
        headers.setdefault("Content-Language", language_tag(current_language()))
        if not address_language(request.path):
            response.vary.add("Accept-Language")
        if "Cache-Control" not in headers:
            response.cache_control.no_store = True
    return response
