"""Names of what the log tells: types of objects, and fields as noun phrases that follow "changed"."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from azionelab.staff.rights import Right

# The types of objects that the log can be filtered by: `object_type` and its label.
OBJECT_TYPES: dict[str, str] = {
    "reservation": _("Reservation"),
    "performance": _("Performance"),
    "show": _("Show"),
    "picture": _("Picture"),
    "venue": _("Venue"),
    "holiday": _("Holiday"),
    "mail": _("Mail"),
    "mail_template": _("Mail text"),
    "theme": _("Look"),
    "audience_message": _("Message"),
    "user_account": _("Account"),
    "api_token": _("Token"),
    "program_token": _("Program"),
    "webhook": _("Webhook"),
    "queue_line": _("Queue"),
}
# Types that only some may read about, beside the right to read the log.
NEEDED: dict[str, Right] = {
    "user_account": Right.MANAGE_ACCOUNTS,
    "api_token": Right.MANAGE_ACCOUNTS,
    "program_token": Right.MANAGE_ACCOUNTS,
    "webhook": Right.MANAGE_ACCOUNTS,
}
_FIELDS: dict[str, str] = {
    "titles": _("the title in other languages"),
    "summaries": _("the summary in other languages"),
    "descriptions": _("the description in other languages"),
    "credits": _("cast and credits"),
    "access_notes": _("the notes on access"),
    "press": _("the quotes of the press"),
    "age_from": _("the age"),
    "spoken_language": _("the spoken language"),
    "surtitles": _("the surtitles"),
    "doors_minutes": _("when the doors open"),
    "wheelchair": _("whether there are wheelchair places"),
    "wheelchair_places": _("the wheelchair places"),
    "companion": _("whether a companion has a seat"),
    "hearing_loop": _("whether there is a hearing loop"),
    "strobe": _("the warning of flashing light"),
    "loud_noise": _("the warning of loud noise"),
    "haze": _("the warning of haze"),
    "directions": _("how to get there"),
    "latitude": _("the latitude"),
    "longitude": _("the longitude"),
    "active": _("whether the account is active"),
    "address": _("the address"),
    "alt": _("the text for people who do not see it"),
    "moved_from": _("the curtain time that was announced first"),
    "booking_closes_at": _("the end of booking"),
    "booking_opens_at": _("the start of booking"),
    "cancelled_at": _("the cancellation"),
    "capacity": _("the capacity"),
    "confirmed_at": _("the time of the confirmation"),
    "contact": _("the contact"),
    "credit": _("the credit"),
    "digest": _("the file"),
    "default_capacity": _("the usual capacity"),
    "description": _("the description"),
    "duration_minutes": _("the duration in minutes"),
    "email": _("the e-mail address"),
    "ended_at": _("the time of the end"),
    "events": _("the events"),
    "expires_at": _("the end of its validity"),
    "made_at": _("the second step of the login"),
    "focal_x": _("what stays visible (from the left)"),
    "focal_y": _("what stays visible (from the top)"),
    "first_day": _("the first day"),
    "hold_expires_at": _("the time by which it must be confirmed"),
    "consent": _("what the visitor agreed to"),
    "kind": _("the kind of booking"),
    "taken_from": _("the house seats that it was given"),
    "label": _("the label"),
    "last_day": _("the last day"),
    "late_at": _("the expected late arrival"),
    "limit_reason": _("the reason for the larger party"),
    "listed": _("whether it is listed"),
    "locale": _("the language"),
    "name": _("the name"),
    "note": _("the note for the door"),
    "party_limit": _("the maximum seats per booking"),
    "password": _("the password"),
    "performance_id": _("the performance"),
    "performance_ids": _("the performances"),
    "published": _("whether it is published"),
    "opens_at": _("the time when it opens"),
    "per_minute": _("how many are let in a minute"),
    "inside_limit": _("how many may be inside at once"),
    "stay_minutes": _("the minutes to book"),
    "most_seats": _("the most seats in a booking"),
    "reentry": _("whether people may leave and come back"),
    "reminders": _("the reminders"),
    "released": _("the released seats"),
    "removed_at": _("the removal"),
    "scope": _("what it may do"),
    "scopes": _("what it may do"),
    "seats": _("the seats"),
    "show_id": _("the show"),
    "slug": _("the page address"),
    "starts_at": _("the curtain time"),
    "state": _("the state"),
    "summary": _("the summary"),
    "texts": _("the text"),
    "title": _("the title"),
    "url": _("the address"),
    "venue_id": _("the venue"),
}


# Of house seats, which have a note in place of a name and nobody who confirms them.
_HOUSE_FIELDS: dict[str, str] = {
    "hold_expires_at": _("the time of their release"),
    "name": _("for whom they are kept back"),
}


def field_label(name: str, *, of_house: bool = False) -> str:
    """A field as a noun phrase, also one of house seats; one without a label by its name in the database."""
    known = (_HOUSE_FIELDS if of_house else {}).get(name) or _FIELDS.get(name)
    return str(known) if known else gettext("the field “%(name)s”", name=name)


def type_label(object_type: str) -> str:
    """A type of objects; one without a label by its name in the database."""
    return str(OBJECT_TYPES.get(object_type, object_type))
