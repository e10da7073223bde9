"""The API's shows: what is played, with its texts in each language, its facts and its pictures."""

from typing import Any

from flask import abort, current_app
from marshmallow import fields
from sqlalchemy import select

from azionelab.api.rest import ApiBlueprint, ResponseSchema
from azionelab.database import db
from azionelab.media.models import Picture
from azionelab.media.pictures import pictures_of
from azionelab.shows.facts.texts import default_language, read_credits, shown_quotes
from azionelab.shows.models import Show, Texts
from azionelab.shows.pages.api import let_cache

blueprint = ApiBlueprint("shows_api", __name__, url_prefix="shows", description="Shows.")


def _texts(what: str) -> fields.Dict:
    return fields.Dict(
        fields.String(),
        fields.String(),
        required=True,
        metadata={"description": f"{what} by language, as far as the theatre wrote them."},
    )


class CreditSchema(ResponseSchema):
    """A line of the credits. `role` is empty where it names none."""

    role = fields.String(required=True)
    name = fields.String(required=True)


class QuoteSchema(ResponseSchema):
    """What the press said, and who."""

    text = fields.String(required=True)
    source = fields.String(required=True)


class PictureSchema(ResponseSchema):
    """A picture. Its address never changes; the first one is the poster."""

    url = fields.Url(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    alt = _texts("What it shows")
    credit = fields.String(required=True)


class PublicShowSchema(ResponseSchema):
    """A show. A language is a code of ISO 639; `zxx` means that there are no words."""

    id = fields.Integer(required=True)
    slug = fields.String(required=True)
    title = _texts("The title")
    summary = _texts("A line about it")
    description = _texts("The text, in simple Markdown,")
    duration_minutes = fields.Integer(required=True, allow_none=True)
    age_from = fields.Integer(required=True, allow_none=True)
    doors_minutes = fields.Integer(required=True, allow_none=True)
    spoken_language = fields.String(required=True)
    surtitles = fields.String(required=True)
    wheelchair = fields.Boolean(required=True)
    companion = fields.Boolean(required=True)
    hearing_loop = fields.Boolean(required=True)
    strobe = fields.Boolean(required=True)
    loud_noise = fields.Boolean(required=True)
    haze = fields.Boolean(required=True)
    access_notes = _texts("More about access")
    credits = fields.Dict(
        fields.String(),
        fields.List(fields.Nested(CreditSchema)),
        required=True,
        metadata={"description": "Cast and credits by language."},
    )
    press = fields.List(fields.Nested(QuoteSchema), required=True)
    pictures = fields.List(fields.Nested(PictureSchema), required=True)


@blueprint.route("/<int:show_id>")
@blueprint.response(200, PublicShowSchema)
@blueprint.operation("getShow", 404)
def show(show_id: int) -> dict[str, Any]:
    """Get a published show, with its facts and the addresses of its pictures."""
    found = db.session.scalar(select(Show).where(Show.id == show_id, Show.published))
    if found is None:
        abort(404)
    own = {name: getattr(found, name) for name in PublicShowSchema().fields if hasattr(found, name)}
    return own | {
        "title": _in_all(found.title, found.titles),
        "summary": _in_all(found.summary, found.summaries),
        "description": _in_all(found.description, found.descriptions),
        "credits": {code: read_credits(text) for code, text in found.credits.items()},
        "press": shown_quotes(found.press),
        "pictures": [_picture(each) for each in pictures_of(found.id)],
    }


def _in_all(own: str, others: Texts) -> Texts:
    """The text in the site's language with those in others."""
    return {**others, default_language(): own} if own else others


def _picture(picture: Picture) -> dict[str, Any]:
    return {
        "url": current_app.config["AZIONELAB"].site_base_url + picture.url(),
        "width": picture.width,
        "height": picture.height,
        "alt": picture.alt,
        "credit": picture.credit,
    }


blueprint.after_request(let_cache)
