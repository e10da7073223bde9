"""Forms of a show's pictures: an upload, and what is written about a picture."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import IntegerField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from azionelab.admin.rows.fields import Line
from azionelab.admin.rows.translated import TranslatedForm, add_language_fields
from azionelab.media.encoding import MAX_RATIO, MIN_SIDE, Refusal
from azionelab.media.pictures import Caption
from azionelab.shows.limits import MAX_LINE

ACCEPTED = "image/jpeg,image/png,image/webp,image/avif"


class CaptionForm(TranslatedForm):
    """What is written about a picture: texts `alt_<language>`, and a credit."""

    in_languages: ClassVar = {"alt": "alt"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self["alt"].description = gettext(
            "What it shows, for people who do not see it: “Two sisters at a window, one of them laughing”."
        )
        self.credit.description = gettext("Who made it, as “Photograph: Ada Rossi”.")


class UploadForm(CaptionForm):
    """A new picture."""

    file = FileField(_("Picture"))
    credit = Line(_("Credit"), [Length(max=MAX_LINE)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit_upload(self.file)

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the texts, and that a file of an allowed size is there."""
        texts = bool(super().validate(extra_validators))
        return check_upload(self.file) and texts

    def caption(self) -> Caption:
        """What is written about the picture."""
        return Caption(self.wanted()["alt"], self.credit.data)


class ReplaceForm(FlaskForm):  # type: ignore[misc]
    """Another file for a picture."""

    file = FileField(_("Another file"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit_upload(self.file)

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Check that a file of an allowed size is there."""
        return bool(super().validate(extra_validators)) and check_upload(self.file)


class PictureForm(CaptionForm):
    """What is written about a picture, and what of it stays visible."""

    credit = Line(_("Credit"), [Length(max=MAX_LINE)])
    focal_x = IntegerField(
        _("What stays visible: from the left, in percent"), [InputRequired(), NumberRange(0, 100)]
    )
    focal_y = IntegerField(
        _("From the top, in percent"),
        [InputRequired(), NumberRange(0, 100)],
        description=_("Where the picture is cut off, this point stays in sight."),
    )


for _form in (UploadForm, PictureForm):
    add_language_fields(
        _form,
        "alt",
        lambda: Line(_("Description"), [DataRequired(), Length(max=MAX_LINE)]),
        "credit",
    )


def limit_upload(field: Any) -> None:
    """Say at a file's field what it may be, in words and for the page's script."""
    settings = current_app.config["AZIONELAB"]
    field.description = gettext(
        "JPEG, PNG, WebP or AVIF, at most %(megabytes)s MB. For a poster upright, best 1440 × 2160 pixels or more.",
        megabytes=settings.upload_max_mb,
    )
    field.render_kw = {
        "accept": ACCEPTED,
        "data-most": settings.upload_max_mb * 1_000_000,
        "data-too-large": _too_large(),
    }


def check_upload(field: Any) -> bool:
    """Whether a file of an allowed size was sent; else the field says so."""
    upload = field.data
    if not upload or not upload.filename:
        field.errors = [gettext("Please choose a picture.")]
        return False
    upload.stream.seek(0, 2)
    size = upload.stream.tell()
    upload.stream.seek(0)
    if size > current_app.config["AZIONELAB"].upload_max_mb * 1_000_000:
        field.errors = [_too_large()]
        return False
    return True


def describe_refusal(reason: Refusal) -> str:
    """Why an upload is refused, and what to do."""
    settings = current_app.config["AZIONELAB"]
    texts = {
        Refusal.EMPTY: gettext("This file is empty."),
        Refusal.TYPE: gettext(
            "This is not a JPEG, PNG, WebP or AVIF picture. Save it as JPEG and try again."
        ),
        Refusal.DAMAGED: gettext(
            "This picture is damaged: it cannot be read to its end. Save it anew and try again."
        ),
        Refusal.ANIMATED: gettext("This picture moves. Please choose a still one."),
        Refusal.SMALL: gettext(
            "This picture is too small: each side needs at least %(pixels)s pixels.",
            pixels=MIN_SIDE,
        ),
        Refusal.LARGE: gettext(
            "This picture has too many pixels: at most %(millions)s million. Save it smaller and try again.",
            millions=settings.upload_max_megapixels,
        ),
        Refusal.NARROW: gettext(
            "This picture is too narrow: its longer side is more than %(times)s times the shorter.",
            times=MAX_RATIO,
        ),
        Refusal.SLOW: gettext("The picture could not be read in time. Please try again."),
    }
    return texts[reason]


def _too_large() -> str:
    return gettext(
        "This file is too large: at most %(megabytes)s MB. Save it smaller and try again.",
        megabytes=current_app.config["AZIONELAB"].upload_max_mb,
    )
