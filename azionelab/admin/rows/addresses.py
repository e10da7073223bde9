"""Which arguments of a page's address its links repeat."""

from flask import request

_PARAMETERS = ("self", "endpoint")  # of `get_url`


def kept_arguments() -> dict[str, str]:
    """The arguments of this page's address for `url_for`, without names that would mean something to it.

    `_external`, `_scheme` or `_anchor`, typed into an address, would change where its links lead.
    """
    return {
        name: value
        for name, value in request.args.items()
        if not name.startswith("_") and name not in _PARAMETERS
    }
