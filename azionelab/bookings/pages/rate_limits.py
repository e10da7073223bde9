"""Limits of bookings by network and of mails to one mailbox, for the form and the API.

They prevent bookings that nobody wants and mails that nobody asked for. A form with a mistake makes neither, and
is not counted.
"""

from datetime import timedelta
from typing import cast

from werkzeug.exceptions import TooManyRequests

from azionelab.bookings.errors import TooManyMails
from azionelab.database import now
from azionelab.web.rate_limits import RateLimit

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
_mailbox_limit = RateLimit("mailbox", lambda settings: settings.mailbox_rate_limit)


def count_mailbox(mailbox: str) -> None:
    """Count a mail that asks a mailbox to confirm; TooManyMails beyond the limit."""
    try:
        _mailbox_limit.count(mailbox)
    except TooManyRequests as limit:
        seconds = cast("int", limit.retry_after)
        raise TooManyMails(now() + timedelta(seconds=seconds)) from limit


def count_link(mailbox: str) -> None:
    """Count a link that somebody asks to have mailed; TooManyRequests beyond the limits of network and mailbox."""
    _link_limit.count()
    _link_mailbox_limit.count(mailbox)
