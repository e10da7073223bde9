"""The form of a mail's text in one language."""

from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.validators import Length

from azionelab.admin.mail_texts.texts import describe_text_faults
from azionelab.admin.rows.fields import Line, Text, read_version
from azionelab.bookings.mails.templates.fields import find_faults, known_fields, line_fields
from azionelab.bookings.mails.templates.models import TemplateName, TemplateText
from azionelab.bookings.mails.templates.stored import TextKey

MAX_LINE = 150  # characters
MAX_BODY = 10_000  # characters


class TextForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A text; `version` is the number of the one that it was made from."""

    version = HiddenField()
    subject = Line(_("Subject"), [Length(max=MAX_LINE)])
    heading = Line(_("Heading"), [Length(max=MAX_LINE)])
    body = Text(_("Text"), [Length(max=MAX_BODY)])

    @classmethod
    def make(cls, key: TextKey, text: TemplateText | None = None, version: int = 0) -> Any:
        """The form as it was sent, or of a text."""
        if text is None:
            form = cls()
        else:
            facts = {"subject": text.subject, "heading": text.heading, "body": text.body}
            form = cls(formdata=None, data=facts | {"version": str(version)})
        for field in (form.subject, form.heading):
            field.render_kw = {"lang": key.language, "maxlength": MAX_LINE}
        form.body.render_kw = {"lang": key.language, "rows": 22}
        return form

    @property
    def seen(self) -> int:
        """The version that the form was made from."""
        return read_version(self.version.data)

    @property
    def text(self) -> TemplateText:
        """What was typed."""
        return TemplateText(self.subject.data or "", self.heading.data or "", self.body.data or "")

    def find_faults(self, name: TemplateName) -> bool:
        """Tell each part's faults at its field; whether there are any."""
        found = find_faults(name, self.text)
        for part, faults in found.items():
            known = known_fields(name) if part == "body" else line_fields(name)
            self[part].errors = [*self[part].errors, *describe_text_faults(faults, known)]
        return bool(found)
