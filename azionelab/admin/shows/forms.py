"""The form of a show: texts in each language, facts, access, press; and what of it belongs together."""

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, IntegerField, SelectField
from wtforms.validators import DataRequired, Length, NumberRange, Optional, Regexp, ValidationError

from azionelab.admin.rows.fields import Line, Text
from azionelab.admin.rows.translated import TranslatedForm, add_language_fields, language_name
from azionelab.admin.season.forms import slug_of
from azionelab.shows.facts.texts import NO_WORDS, SPOKEN, QuoteWithoutSource, read_quotes
from azionelab.shows.limits import MAX_LINE, MAX_MINUTES, MAX_SLUG, MAX_TEXT, SLUG
from azionelab.validation.hours import MAX_HOURS, MOST, read_hours, write_hours


@dataclass(frozen=True)
class Section:
    """Fields that belong together, under a heading; `is_open` when they are shown from the start."""

    title: str
    fields: list[Any]
    help: str = ""
    is_open: bool = True


class ShowForm(TranslatedForm):
    """A show. Its texts in the site's own language have fields of their own, which a show has to have."""

    in_languages: ClassVar = {
        "titles": "title",
        "summaries": "summary",
        "descriptions": "description",
        "credits": "credits",
        "access_notes": "access_notes",
    }
    beside_own: ClassVar = frozenset({"titles", "summaries", "descriptions"})

    title = Line(_("Title"), [DataRequired(), Length(max=MAX_LINE)])
    slug = Line(
        _("Address"),
        [Optional(), Length(max=MAX_SLUG), Regexp(SLUG + r"\Z")],
        description=_(
            "The last part of the page address: lower-case letters, digits and hyphens. Leave empty to derive"
            " it from the title."
        ),
    )
    summary = Line(
        _("Summary"), [Length(max=MAX_LINE)], description=_("One sentence for the programme.")
    )
    description = Text(
        _("Description"),
        [Length(max=MAX_TEXT)],
        description=_(
            "Empty lines part paragraphs. *slanted*, **strong**, lines that begin with “- ” are a list, with"
            " “# ” a heading, and [words](https://…) a link."
        ),
        render_kw={"rows": 8},
    )
    duration_minutes = IntegerField(_("Minutes"), [Optional(), NumberRange(1, MAX_MINUTES)])
    published = BooleanField(
        _("Published"), description=_("Only published shows are in the programme.")
    )
    age_from = IntegerField(
        _("For people from … years"),
        [Optional(), NumberRange(0, 21)],
        description=_("0 says “for all ages”; leave empty to say nothing."),
    )
    spoken_language = SelectField(_("Spoken language"), default="")
    surtitles = SelectField(_("Surtitles"), default="")
    doors_minutes = IntegerField(
        _("Doors open … minutes before"), [Optional(), NumberRange(1, MAX_MINUTES)]
    )
    wheelchair = BooleanField(_("Wheelchair places"))
    companion = BooleanField(_("A companion's seat beside them"))
    hearing_loop = BooleanField(_("Hearing loop"))
    strobe = BooleanField(_("Strobe or flashing light"))
    loud_noise = BooleanField(_("Loud noise"))
    haze = BooleanField(_("Haze or smoke"))
    reminders = Line(_("Hours before the curtain"))
    press = Text(
        _("Quotes"),
        [Length(max=MAX_TEXT)],
        description=_(
            "Each a paragraph; its last line is the source, after a dash: “— Anna Neri, la Repubblica”."
        ),
        render_kw={"rows": 6},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        languages = [(code, language_name(code)) for code in SPOKEN if code != NO_WORDS]
        languages.sort(key=lambda one: one[1].casefold())
        self.spoken_language.choices = [
            ("", gettext("Not stated")),
            (NO_WORDS, gettext("No words")),
            *languages,
        ]
        self.surtitles.choices = [("", gettext("None")), *languages]
        self.reminders.description = gettext(
            "Such as “48, 3”; “none” for no reminders. The usual ones: %(hours)s.",
            hours=write_hours(current_app.config["AZIONELAB"].reminder_hours),
        )
        self["credits"].description = gettext(
            "A line each: “Director: Ada Rossi”. The cast is “With: Ada Rossi, Bruno Verdi”. A line without a colon"
            " stands alone."
        )

    def sections(self) -> list[Section]:
        """The fields as the page groups them; what has an error is open."""
        named = [
            Section(
                gettext("Show"), self._of("title", "slug", "summary", "description", "published")
            ),
            Section(
                gettext("In other languages"),
                [*self._texts("titles"), *self._texts("summaries"), *self._texts("descriptions")],
                gettext(
                    "Where one is empty, visitors read the text above, marked with its language."
                ),
            ),
            Section(
                gettext("Facts"),
                self._of(
                    "duration_minutes", "doors_minutes", "age_from", "spoken_language", "surtitles"
                ),
            ),
            Section(
                gettext("Cast and credits"),
                self._texts("credits"),
            ),
            Section(
                gettext("Access and warnings"),
                [
                    *self._of(
                        "wheelchair", "companion", "hearing_loop", "strobe", "loud_noise", "haze"
                    ),
                    *self._texts("access_notes"),
                ],
                gettext("What people need to know before they come. Only what is ticked is told."),
            ),
            Section(gettext("What the press said"), self._of("press")),
            Section(
                gettext("Reminders"),
                self._of("reminders"),
                gettext(
                    "How long before the curtain parties are reminded and asked whether they come. Leave empty for the"
                    " theatre's usual reminders."
                ),
            ),
        ]
        return [
            Section(
                one.title,
                one.fields,
                one.help,
                number == 0 or any(field.errors or field.data for field in one.fields),
            )
            for number, one in enumerate(named)
        ]

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; an empty slug is made from the title."""
        if not self.slug.data:
            self.slug.data = slug_of(self.title.data)
        return bool(super().validate(extra_validators))

    def validate_press(self, field: Any) -> None:
        """Each quote names its source."""
        try:
            read_quotes(field.data)
        except QuoteWithoutSource as problem:
            raise ValidationError(
                gettext(
                    "Who said “%(quote)s”? Add a line with the source, after a dash: “— Anna Neri, la Repubblica”.",
                    quote=problem.quote[:60],
                )
            ) from None

    def validate_reminders(self, field: Any) -> None:
        """Hours, or none; stored as they are shown."""
        try:
            field.data = write_hours(read_hours(field.data)) if field.data else ""
        except ValueError:
            raise ValidationError(
                gettext(
                    "Please enter up to %(most)s numbers of hours from 1 to %(hours)s, such as 48, 3; or “none”.",
                    most=MOST,
                    hours=MAX_HOURS,
                )
            ) from None

    def _of(self, *names: str) -> list[Any]:
        return [self[name] for name in names]

    def _texts(self, column: str) -> list[Any]:
        return list(self.texts_of(column).values())


add_language_fields(ShowForm, "title", lambda: Line(_("Title"), [Length(max=MAX_LINE)]), "slug")
add_language_fields(ShowForm, "summary", lambda: Line(_("Summary"), [Length(max=MAX_LINE)]), "slug")
add_language_fields(
    ShowForm,
    "description",
    lambda: Text(_("Description"), [Length(max=MAX_TEXT)], render_kw={"rows": 6}),
    "slug",
)
add_language_fields(
    ShowForm,
    "credits",
    lambda: Text(_("Cast and credits"), [Length(max=MAX_TEXT)], render_kw={"rows": 6}),
    "press",
)
add_language_fields(
    ShowForm,
    "access_notes",
    lambda: Text(_("More about access"), [Length(max=MAX_TEXT)], render_kw={"rows": 3}),
    "press",
)
