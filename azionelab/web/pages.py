"""Set-up of all pages: session, language, template filters, headers, error pages."""

from datetime import datetime
from functools import partial
from typing import Any

from flask import Flask, current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map

from azionelab.languages import current_language, language_names, language_tag
from azionelab.validation.email_addresses import ascii_address
from azionelab.validation.text import paragraphs
from azionelab.web.dates import format_date, format_datetime, format_day, format_time
from azionelab.web.error_pages import failure_page, http_error_page
from azionelab.web.form_checks import reject_foreign_forms
from azionelab.web.languages.links import in_language, page_addresses
from azionelab.web.languages.pages import init_language_addresses
from azionelab.web.notices.views import privacy_address
from azionelab.web.security_headers import add_headers
from azionelab.web.sessions import CacheFriendlySessions

MAX_ROW = 2**31 - 1  # the maximum of PostgreSQL's integer


class RowIdConverter(IntegerConverter):
    """A row's id in a URL. Ids above PostgreSQL's integer do not match: 404 instead of a database error."""

    def __init__(
        self,
        map: Map,  # noqa: A002 (Werkzeug's name)
        fixed_digits: int = 0,
        min: int | None = None,  # noqa: A002
        max: int | None = MAX_ROW,  # noqa: A002
        signed: bool = False,
    ) -> None:
        super().__init__(map, fixed_digits, min, max, signed)


def init_pages(app: Flask) -> None:
    """Register session interface, converters, template filters, hooks and error handlers."""
    app.session_interface = CacheFriendlySessions()
    app.url_map.converters["int"] = RowIdConverter
    app.add_template_filter(format_datetime, "when")
    app.add_template_filter(format_day, "day")
    app.add_template_filter(format_time, "clock")
    app.add_template_filter(format_date, "dateformat")
    app.add_template_filter(partial(datetime.isoformat, timespec="seconds"), "isoformat")
    app.add_template_filter(paragraphs, "paragraphs")
    app.add_template_filter(ascii_address, "wire_address")
    app.context_processor(_site)
    init_language_addresses(app)
    app.before_request(reject_foreign_forms)
    app.after_request(add_headers)
    app.register_error_handler(HTTPException, http_error_page)
    app.register_error_handler(Exception, failure_page)


def _site() -> dict[str, Any]:
    config = current_app.config["AZIONELAB"]
    return {
        "site_name": config.site_name,
        "privacy_url": privacy_address(),
        "contact_email": config.contact_email,
        "locale": language_tag(current_language()),
        "language_names": {language_tag(code): name for code, name in language_names().items()},
        "in_language": in_language,
        "page_addresses": page_addresses,
    }
