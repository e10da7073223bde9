"""The pages of the mails' texts: the list, and each text with its preview and its versions."""

import base64
from typing import Any

from flask import flash, redirect, render_template, request
from flask_admin import BaseView, expose
from flask_babel import force_locale, gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.wrappers import Response

from azionelab.admin.guard import Guarded, only_reads
from azionelab.admin.mail_texts.forms import TextForm
from azionelab.admin.mail_texts.jobs import send_text_trial as _job  # noqa: F401 (the worker must know it)
from azionelab.admin.mail_texts.texts import FIELDS, NAMES, WHEN
from azionelab.admin.menu import MAILS
from azionelab.admin.messages.texts import name_language
from azionelab.admin.rows.fields import read_version
from azionelab.bookings.mails.samples import fill_sample
from azionelab.bookings.mails.templates import stored
from azionelab.bookings.mails.templates.fields import find_faults, known_fields, required_fields
from azionelab.bookings.mails.templates.models import About, TemplateText, TemplateVersion
from azionelab.bookings.mails.templates.stored import TextKey
from azionelab.bookings.mails.trials import enqueue_text_trial
from azionelab.bookings.tickets.files import place, qr_png
from azionelab.database import db
from azionelab.languages import LOCALES
from azionelab.staff.models import User
from azionelab.staff.rights import Right


class MailTextView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """The texts of the system's mails, in each language."""

    right = change_right = Right.MANAGE_MAILS

    def __init__(self) -> None:
        super().__init__(
            name=_("Mail texts"), category=MAILS, endpoint="admin_mail_texts", url="mail-texts"
        )

    @expose("/")
    def index(self) -> str:
        """All texts, and which of them the theatre has changed."""
        newest = stored.read_newest(db.session())
        page: str = self.render(
            "admin/mail_texts/list.html",
            names=NAMES,
            when=WHEN,
            languages={each: name_language(each) for each in LOCALES},
            newest={(key.name, key.language): version for key, version in newest.items()},
            broken={(key.name, key.language) for key in newest if _is_broken(key, newest[key])},
            authors=_find_authors(newest.values()),
        )
        return page

    @expose("/edit/", methods=("GET", "POST"))
    def edit(self) -> Any:
        """A text; an address may name a version that the form begins with, 0 for the shipped text."""
        key = _key()
        if key is None:
            return self._not_found()
        if request.method == "GET":
            return self._begin(key)
        form = TextForm.make(key)
        if not self._is_valid(form, key):
            return self._show(form, key)
        try:
            changed = stored.save_text(key, form.text, seen=form.seen, by=current_user.id)
        except stored.TextChanged:
            return self._show_changed(form, key)
        flash(_describe_saved(key, form.text, changed=changed), "success")
        return redirect(self.get_url(".edit", name=key.name, language=key.language))

    @expose("/preview/", methods=("POST",))
    @only_reads
    def preview(self) -> Any:
        """The text as it is typed, filled in; nothing is saved."""
        key = _key()
        if key is None:
            return self._not_found()
        form = TextForm.make(key)
        if self._is_valid(form, key):
            flash(gettext("This is how it would look. Nothing is saved yet."), "info")
        return self._show(form, key)

    @expose("/test/", methods=("POST",))
    def test(self) -> Any:
        """Send the text as it is typed to the address of whoever presses."""
        key = _key()
        if key is None:
            return self._not_found()
        form = TextForm.make(key)
        if self._is_valid(form, key):
            enqueue_text_trial(key, form.text, current_user.id)
            flash(
                gettext(
                    "A test is on its way to %(email)s. Its links lead to the programme. Nothing is saved yet.",
                    email=current_user.email,
                ),
                "success",
            )
        return self._show(form, key)

    def _begin(self, key: TextKey) -> Any:
        versions = stored.read_versions(db.session(), key)
        newest = versions[0] if versions else None
        text = (newest and newest.text) or stored.shipped_in(key)
        asked = request.args.get("version")
        if asked is not None:
            wanted = read_version(asked)
            chosen = next((each for each in versions if each.version == wanted), None)
            text = (chosen and chosen.text) or stored.shipped_in(key)
        form = TextForm.make(key, text, newest.version if newest else 0)
        return self._show(form, key, versions=versions, from_version=asked)

    def _is_valid(self, form: Any, key: TextKey) -> bool:
        valid = bool(form.validate())
        if form.find_faults(key.name) or not valid:
            flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")
            return False
        return True

    def _show(self, form: Any, key: TextKey, **facts: Any) -> str:
        text = form.text
        versions = facts.pop("versions", None) or stored.read_versions(db.session(), key)
        broken = bool(find_faults(key.name, text))
        if request.method == "GET" and broken:
            form.find_faults(key.name)
        page: str = self.render(
            "admin/mail_texts/edit.html",
            form=form,
            key=key,
            title=NAMES[key.name],
            when=WHEN[key.name],
            language=name_language(key.language),
            others={each: name_language(each) for each in LOCALES if each != key.language},
            fields={each: FIELDS[each] for each in known_fields(key.name)},
            required=required_fields(key.name),
            versions=versions,
            authors=_find_authors(versions),
            is_broken=bool(versions) and _is_broken(key, versions[0]),
            letter=None if broken else _letter(key, text),
            **facts,
        )
        return page

    def _show_changed(self, form: Any, key: TextKey) -> Any:
        """Show the input again, and what somebody else saved meanwhile; saving again replaces it."""
        versions = stored.read_versions(db.session(), key)
        flash(
            gettext(
                "Somebody else has changed this text since you opened it. Nothing of yours is saved yet."
            ),
            "error",
        )
        form.version.data = form.version.raw_data = str(versions[0].version)
        theirs = versions[0].text or stored.shipped_in(key)
        return self._show(form, key, versions=versions, theirs=theirs), 409

    def _not_found(self) -> Response:
        flash(gettext("There is no such text."), "error")
        return redirect(self.get_url(".index"))


def _key() -> TextKey | None:
    return TextKey.find(request.args.get("name", ""), request.args.get("language", ""))


def _is_broken(key: TextKey, version: TemplateVersion) -> bool:
    return version.text is not None and bool(find_faults(key.name, version.text))


def _letter(key: TextKey, text: TemplateText) -> Markup:
    """A text without faults as its reader would see it, in the mail's language."""
    with force_locale(key.language):
        sample = fill_sample(key.name, text)
        code = qr_png(sample.reservation) if sample.text.with_ticket else b""
        return Markup(  # noqa: S704 (a rendered template)
            render_template(
                "admin/mail_texts/_letter.html",
                content=sample.text,
                reservation=sample.reservation,
                performance=sample.reservation.performance,
                place=place(sample.reservation.performance.venue),
                code=base64.b64encode(code).decode(),
                language=key.language,
                about=About.of(key.name).value,
            )
        )


def _describe_saved(key: TextKey, text: TemplateText, *, changed: bool) -> str:
    if not changed:
        return gettext("Nothing has changed.")
    if text == stored.shipped_in(key):
        return gettext("Saved: the shipped text is used again, in all mails from now on.")
    return gettext("Saved. All mails from now on say this, those that still wait, too.")


def _find_authors(versions: Any) -> dict[int, str]:
    wanted = {version.written_by for version in versions if version.written_by is not None}
    users = db.session.scalars(select(User).where(User.id.in_(wanted))) if wanted else ()
    return {user.id: str(user) for user in users}
