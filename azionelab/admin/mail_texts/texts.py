"""Names of the mails' texts and of their fields, and what is wrong with a text."""

from collections.abc import Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from azionelab.admin.messages.texts import FIELDS as MESSAGE_FIELDS
from azionelab.admin.messages.texts import describe_faults
from azionelab.bookings.mails.templates.fields import TextFaults
from azionelab.bookings.mails.templates.models import TemplateName

NAMES: dict[str, str] = {
    TemplateName.CONFIRM: _("Request to confirm"),
    TemplateName.TICKET: _("Ticket"),
    TemplateName.CHANGED: _("Booking changed"),
    TemplateName.CANCELLED: _("Booking cancelled"),
    TemplateName.MERGED: _("Bookings joined"),
    TemplateName.HANDED_OVER: _("Booking handed over"),
    TemplateName.MOVED: _("Performance rescheduled"),
    TemplateName.MOVED_UNCONFIRMED: _("Performance rescheduled, not confirmed yet"),
    TemplateName.PERFORMANCE_CANCELLED: _("Performance cancelled"),
    TemplateName.EXISTING: _("Already booked"),
    TemplateName.WAITLIST_JOIN: _("Waitlist: request to confirm"),
    TemplateName.WAITLIST_PLACE: _("Waitlist: in line"),
    TemplateName.OFFER: _("Waitlist: seats offered"),
    TemplateName.WAITLIST_LAPSED: _("Waitlist: offer lapsed"),
    TemplateName.WAITLIST_NEAR: _("Waitlist: who is near?"),
    TemplateName.WAITLIST_MOVED: _("Waitlist: performance rescheduled"),
    TemplateName.WAITLIST_CANCELLED: _("Waitlist: performance cancelled"),
    TemplateName.REMINDER: _("Reminder"),
    TemplateName.QUESTION: _("Confirm again"),
    TemplateName.NOT_ANSWERED: _("Seats released without an answer"),
    TemplateName.MY_BOOKINGS: _("Link to all bookings"),
    TemplateName.FOR_FRIEND: _("Seats for a friend"),
    TemplateName.BOOKING: _("How the booking stands"),
}
WHEN: dict[str, str] = {
    TemplateName.CONFIRM: _("to whoever has booked, with the button that confirms"),
    TemplateName.TICKET: _("once the booking is confirmed, with the ticket"),
    TemplateName.CHANGED: _("when the visitor or the box office has changed a confirmed booking"),
    TemplateName.CANCELLED: _("when a booking was cancelled"),
    TemplateName.MERGED: _("when the box office has made it part of another booking"),
    TemplateName.HANDED_OVER: _("to whoever has handed a booking to a friend, who has accepted it"),
    TemplateName.MOVED: _(
        "to confirmed parties, when the time or the venue of a performance changes"
    ),
    TemplateName.MOVED_UNCONFIRMED: _("the same, to parties that have not confirmed yet"),
    TemplateName.PERFORMANCE_CANCELLED: _("to all parties of a performance that is cancelled"),
    TemplateName.EXISTING: _("to whoever books the same performance a second time"),
    TemplateName.WAITLIST_JOIN: _("to whoever wants to wait, with the button that takes the place"),
    TemplateName.WAITLIST_PLACE: _("to whoever the box office puts on the waitlist"),
    TemplateName.OFFER: _("when seats have come free for a party on the waitlist"),
    TemplateName.WAITLIST_LAPSED: _("when an offer was not answered in time"),
    TemplateName.WAITLIST_NEAR: _(
        "three hours before the curtain, to those who still wait, also after a lapsed offer"
    ),
    TemplateName.WAITLIST_MOVED: _("to those in line, when the time or the venue changes"),
    TemplateName.WAITLIST_CANCELLED: _("to those in line, when the performance is cancelled"),
    TemplateName.REMINDER: _("some hours before the curtain, to confirmed parties"),
    TemplateName.QUESTION: _(
        "half a day before the deadline, to parties that never answered, where the theatre asks for it"
    ),
    TemplateName.NOT_ANSWERED: _("when they did not answer in time"),
    TemplateName.MY_BOOKINGS: _("to whoever has asked for the bookings of their address"),
    TemplateName.FOR_FRIEND: _("to the friend to whom a visitor hands a booking over"),
    TemplateName.BOOKING: _(
        "in place of a late mail, when its booking has ended or was confirmed meanwhile"
    ),
}
FIELDS: dict[str, str] = MESSAGE_FIELDS | {
    "greeting": _("“Dear …,” on a line of its own; nothing until the booking is confirmed"),
    "button": _("the button with the link, on a line of its own"),
    "news": _("what the box office has done or changed; often nothing"),
    "hold": _("until when the seats are held, or that they are not held"),
    "until": _("the time by which it must be confirmed, or answered"),
    "state": _("whether the booking is confirmed, has to be confirmed, or has ended"),
    "ticket": _("the code of the ticket, on a line of its own"),
    "ticket_files": _("the links to the PDF and to the calendar, on a line of their own"),
    "answer": _("asks whether they are coming, or thanks those who have said so"),
    "choices": _(
        "the links to come, to choose another evening, or to cancel, on a line of their own"
    ),
    "give_back": _("the links to give seats back, on a line of their own"),
    "bookings": _("the list of the bookings, on a line of its own"),
    "hours": _("for how many hours the link works"),
    "other_reference": _("the reference of the other booking"),
}


def describe_text_faults(faults: TextFaults, known: Sequence[str]) -> list[str]:
    """What is wrong with a part of a text."""
    if faults.is_empty:
        return [gettext("Please fill this in.")]
    errors = describe_faults(faults.fields, known)
    for name in faults.misplaced:
        errors.append(gettext("%(field)s must stand on a line of its own.", field="{" + name + "}"))
    return errors
