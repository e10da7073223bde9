"""Lines about mails: what waits, what was given up, whether the provider takes any."""

from flask_babel import gettext, ngettext

from azionelab.ops.status.facts import Facts
from azionelab.ops.status.lines import About, Line, State, not_read
from azionelab.web.dates import format_duration


def waiting(facts: Facts) -> Line:
    """Mails that wait, and for how long the oldest has."""
    name = gettext("Mails that wait")
    service = facts.service
    if service is None:
        return not_read(About.MAIL, name)
    if service.mail_waits_since is None:
        return Line(About.MAIL, State.WELL, name, gettext("None: every mail has left."))
    text = ngettext(
        "%(num)s mail waits, for %(time)s.",
        "%(num)s mails wait, the oldest for %(time)s.",
        service.mails_waiting,
        time=format_duration(service.at - service.mail_waits_since),
    )
    if not service.mail_is_late:
        return Line(About.MAIL, State.WELL, name, text)
    advice = (
        gettext("They leave once the worker runs again.")
        if service.worker_is_silent
        else gettext(
            "The mail server does not take them. Nothing is lost: they are tried again and again."
        )
    )
    return Line(About.MAIL, State.WRONG, name, text, advice, "Mail provider down")


def provider(facts: Facts) -> Line:
    """Whether the mail provider refuses everybody."""
    name = gettext("Mail provider")
    if facts.service is None:
        return not_read(About.PROVIDER, name)
    refusals = facts.service.mails_refused
    if not refusals.by_provider:
        return Line(About.PROVIDER, State.WELL, name, gettext("It does not refuse us."))
    return Line(
        About.PROVIDER,
        State.WRONG,
        name,
        gettext(
            "It refused %(num)s different people in a row, and nobody got a mail in between.",
            num=refusals.everybody,
        ),
        gettext("A spent quota, a blocked sender or a rule: look at the provider's page."),
        "Mail provider refuses everybody",
    )


def given_up(facts: Facts) -> Line:
    """Mails that were given up."""
    name = gettext("Mails given up")
    if facts.service is None:
        return not_read(About.FAILED_MAILS, name)
    number = facts.service.mails_failed
    if not number:
        return Line(About.FAILED_MAILS, State.WELL, name, gettext("None."))
    return Line(
        About.FAILED_MAILS,
        State.WRONG,
        name,
        ngettext(
            "%(num)s mail could not be delivered.", "%(num)s mails could not be delivered.", number
        ),
        gettext("Correct the addresses that do not exist, and send the others again."),
    )
