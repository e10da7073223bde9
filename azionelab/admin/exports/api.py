"""Lists of the back office as files, for programs by the API for staff: the same rows, columns and checks of cells."""

from collections.abc import Callable
from typing import Any, cast

from flask import Response, current_app
from flask_babel import gettext
from marshmallow import RAISE, Schema, fields
from marshmallow.validate import OneOf, Range
from sqlalchemy.orm import Query

from azionelab.admin.exports.downloads import XLSX, FileKind
from azionelab.admin.exports.lists import ExportedList
from azionelab.api.problems import problem
from azionelab.api.rest import BETWEEN, ONE_OF
from azionelab.bookings.models import State
from azionelab.checkin.verdicts import VerdictKind
from azionelab.integrations.pages.access import blueprint, needs_scope
from azionelab.integrations.tokens import Scope
from azionelab.mail.models import Delivery, MailKind
from azionelab.web.pages import MAX_ROW

# Not the accounts and tokens, nor the log: no program needs them.
LISTS = (
    "reservations", "performances", "shows", "venues", "holidays", "mails", "scans", "admissions",
)  # fmt: skip
_LIST = f"<any({','.join(LISTS)}):name>"
_FILE = {"type": "string", "format": "binary"}


def _one_of(values: Any, text: str) -> fields.String:
    validate = OneOf([value.value for value in values], error=ONE_OF)
    return fields.String(validate=validate, metadata={"description": text})


class ExportQuery(Schema):
    """Filters of a list, as on its page. One that the list does not have is refused."""

    class Meta:
        unknown = RAISE

    performance_id = fields.Integer(
        validate=Range(1, MAX_ROW, error=BETWEEN),
        metadata={"description": "Of reservations and scans."},
    )
    state = _one_of(State, "Of reservations.")
    delivery = _one_of(Delivery, "Of mails.")
    kind = _one_of(MailKind, "Of mails.")
    verdict = _one_of(VerdictKind, "Of scans.")


@blueprint.route(f"/exports/{_LIST}/csv")
@blueprint.arguments(ExportQuery, location="query")
@blueprint.response(200, _FILE, content_type="text/csv")
@blueprint.operation("staffExportCsv", 403, 404, 422)
@needs_scope(Scope.EXPORTS)
def export_csv(asked: dict[str, Any], name: str) -> Response:
    """Download a list as CSV in UTF-8, streamed; separators and headings follow Accept-Language."""
    return _export("csv", name, asked)


@blueprint.route(f"/exports/{_LIST}/xlsx")
@blueprint.arguments(ExportQuery, location="query")
@blueprint.response(200, _FILE, content_type=XLSX)
@blueprint.operation("staffExportXlsx", 403, 404, 422)
@needs_scope(Scope.EXPORTS)
def export_xlsx(asked: dict[str, Any], name: str) -> Response:
    """Download a list as an Excel workbook; headings follow Accept-Language."""
    return _export("xlsx", name, asked)


def _export(kind: FileKind, name: str, asked: dict[str, Any]) -> Response:
    found = next(
        view
        for view in current_app.extensions["admin"][0]._views
        if view.endpoint == f"admin_{name}"
    )
    view = cast("ExportedList", found)
    filters: dict[str, Callable[..., Query[Any]]] = {
        each.column.key: each.apply for each in view._filters or ()
    }
    unknown = sorted(asked.keys() - filters.keys())
    if unknown:
        detail = gettext("This list has no such filter.")
        errors = [{"field": field, "detail": detail} for field in unknown]
        return problem(422, "invalid-fields", "Unprocessable Content", detail, errors=errors)

    def narrow(rows: Query[Any]) -> Query[Any]:
        for field, value in asked.items():
            rows = filters[field](rows, value)
        return rows

    return view.export_file(kind, narrow=narrow)
