"""Limits of bookings by network and of mails to one mailbox, for the form and the API.

They prevent bookings that nobody wants and mails that nobody asked for. A form with a mistake makes neither, and
is not counted.
"""

from datetime import timedelta

from azionelab.bookings.crowd.proof_of_work import check_proof
from azionelab.bookings.errors import TooManyMails
from azionelab.database import now
from azionelab.web.rate_limits import RateLimit, count_all

booking_limit = RateLimit("booking", lambda settings: settings.booking_rate_limit)
# By the booking: whoever made it may mistype the address a few times, and no more.
correction_limit = RateLimit("correction", lambda _settings: "3 per day", spares_box_office=False)
resend_limit = RateLimit("resend", lambda _settings: "3 per hour", spares_box_office=False)
# By the booking: a friend or two, not an address book.
hand_over_limit = RateLimit("hand-over", lambda _settings: "3 per day", spares_box_office=False)
# Asking for a link that is mailed to an address, whichever it is, by network and by address.
_link_limit = RateLimit("address-link", lambda _settings: "10 per hour")
_link_mailbox_limit = RateLimit(
    "address-link-mailbox", lambda _settings: "3 per hour", spares_box_office=False
)
_mailbox_limit = RateLimit(
    "mailbox",
    lambda settings: settings.mailbox_rate_limit,
    refusal=lambda seconds: TooManyMails(now() + timedelta(seconds=seconds)),
)


def count_booking(mailbox: str, proof: str = "", *, suspect: bool = False) -> bool:
    """Count a booking of this request's network, and its mail to a mailbox; whether it may hold seats (check_proof).

    Raises TooManyRequests, TooManyUnproven, TooManyMails.
    """
    booking_limit.check()  # whoever is known to be beyond it does not use up what is left for unproven ones
    proven = check_proof(proof, suspect=suspect)
    count_all((booking_limit, None), (_mailbox_limit, mailbox))
    return proven


def count_mailbox(mailbox: str) -> None:
    """Count a mail that asks a mailbox to confirm; TooManyMails beyond the limit."""
    _mailbox_limit.count(mailbox)


def count_link(mailbox: str) -> None:
    """Count a link that somebody asks to have mailed; TooManyRequests beyond the limits of network and mailbox."""
    _link_limit.count()
    _link_mailbox_limit.count(mailbox)
