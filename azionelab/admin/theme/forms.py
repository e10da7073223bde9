"""Forms of the look: name, accent, fonts and texts; and a logo."""

from typing import Any, ClassVar

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from azionelab.admin.rows.fields import Line, Text, read_version
from azionelab.admin.rows.translated import TranslatedForm, add_language_fields
from azionelab.admin.shows.picture_forms import check_upload, describe_refusal, limit_upload
from azionelab.media.encoding import LOGO_RATIO, LOGO_SIDE, Refusal
from azionelab.theme.colours import SHIPPED_ACCENT
from azionelab.theme.models import Fonts, Logo, Theme
from azionelab.theme.rules import AccentRefused, check_accent

MAX_NAME = 80  # characters, as SITE_NAME
MAX_TEXT = 300  # characters
_FONTS = {
    Fonts.BODONI: _("Bodoni and Figtree: a playbill"),
    Fonts.FRAUNCES: _("Fraunces and Figtree: soft and warm"),
    Fonts.INSTRUMENT: _("Instrument Sans: plain and modern"),
    Fonts.DEVICE: _("The visitor's own fonts: nothing is loaded"),
}


class ThemeForm(TranslatedForm):
    """The look; `version` is the one that it was made from. Texts are `welcome_<language>`, `footer_<language>`."""

    in_languages: ClassVar = {"welcome": "welcome", "footer": "footer"}

    name = Line(_("Name"), [Length(max=MAX_NAME)])
    accent = StringField(_("Accent colour"))
    nearest = (
        HiddenField()
    )  # the colour that was offered in place of a refused one, if that was pressed
    offered = ""
    fonts = SelectField(
        _("Fonts"),
        choices=[SelectChoice(value.value, label) for value, label in _FONTS.items()],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name.description = gettext("Empty: the name of the settings.")
        self.accent.render_kw = {"type": "color"}
        self.accent.description = gettext(
            "Curtain, buttons and links. Dark screens get lighter and darker tones of it."
        )
        self["welcome"].description = gettext(
            "Below the programme's title, in place of the shipped sentence."
        )
        self["footer"].description = gettext("At the foot of every page.")

    @classmethod
    def of(cls, theme: Theme, version: int) -> "ThemeForm":
        """The form of a theme."""
        form = cls(formdata=None, obj=theme)
        form.version.data = str(version)
        form.accent.data = theme.accent or SHIPPED_ACCENT
        form.fonts.data = theme.fonts.value
        return form

    @property
    def seen(self) -> int:
        """The version that the form was made from."""
        return read_version(self.version.data)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the fields, and that the accent can be read."""
        valid = bool(super().validate(extra_validators))
        accent = self._typed_accent
        try:
            check_accent(accent)
        except ValueError:
            self.accent.errors = [gettext("This is no colour. Write it as #7a1527.")]
            return False
        except AccentRefused as refused:
            self.accent.errors = [
                gettext(
                    "Text in %(typed)s is too hard to read. The nearest colour that works is %(nearest)s.",
                    typed=accent,
                    nearest=refused.nearest,
                )
            ]
            self.offered = refused.nearest
            return False
        return valid

    def theme(self, logo: Logo | None) -> Theme:
        """What was typed, with the logo as it is."""
        texts = self.wanted()
        return Theme(
            self.name.data or "",
            "" if self._typed_accent == SHIPPED_ACCENT else self._typed_accent,
            Fonts(self.fonts.data),
            texts["welcome"],
            texts["footer"],
            logo,
        )

    @property
    def _typed_accent(self) -> str:
        return (self.nearest.data or self.accent.data or "").strip().lower()


for _column, _label, _before in (
    ("welcome", _("Welcome"), "fonts"),
    ("footer", _("Foot of the page"), "fonts"),
):
    add_language_fields(
        ThemeForm,
        _column,
        lambda label=_label: Text(label, [Length(max=MAX_TEXT)], render_kw={"rows": 3}),  # type: ignore[misc]
        _before,
    )


class LogoForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A logo's file."""

    file = FileField(_("Logo"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit_upload(self.file)
        self.file.description = gettext(
            "PNG or WebP, light, with a transparent ground: it stands on the curtain in place of the name."
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """Check that a file of an allowed size is there."""
        return bool(super().validate(extra_validators)) and check_upload(self.file)


def describe_logo_refusal(reason: Refusal) -> str:
    """Why a logo is refused, and what to do."""
    if reason is Refusal.SMALL:
        return gettext(
            "This logo is too small: each side needs at least %(pixels)s pixels.", pixels=LOGO_SIDE
        )
    if reason is Refusal.NARROW:
        return gettext(
            "This logo is too long: at most %(ratio)s times as wide as high.", ratio=LOGO_RATIO
        )
    return describe_refusal(reason)
