"""Texts on the number of people in the building: its parts, and when it was last certain."""

from flask_babel import gettext

from azionelab.checkin.house.building import Building
from azionelab.web.dates import format_datetime, format_time, is_same_day


def describe_silent_phones(phones: str) -> str:
    """Warn that phones which were silent for a minute may have let people in: their seats would be released."""
    return gettext(
        "Phones out of contact for over a minute: %(phones)s. People admitted by them since then are not"
        " counted here, and their seats would be released, too.",
        phones=phones,
    )


def describe_building_parts(building: Building) -> str:
    """The parts of the number if it includes conflicts or revoked phones, and how many people are out."""
    texts = []
    if building.people != building.counted:
        parts = gettext(
            "%(counted)s counted, %(beyond)s in conflicts, %(revoked)s admitted by revoked phones.",
            counted=building.counted,
            beyond=building.beyond,
            revoked=building.by_revoked,
        )
        texts.append(parts)
    if building.outside:
        texts.append(gettext("Out during the interval: %(num)s.", num=building.outside))
    return " ".join(texts)


def describe_known_at(building: Building) -> str:
    """When the number was last certain, and which phones were silent since."""
    known, silent = building.known_at, building.silent
    at = format_time(known) if is_same_day(known, building.at) else format_datetime(known)
    if not silent:
        return gettext("Certain at %(at)s.", at=at)
    return gettext(
        "Certain at %(at)s. Out of contact since then, and may have admitted more people: %(phones)s.",
        at=at,
        phones=", ".join(phone.label for phone in silent),
    )


def describe_put_away(building: Building) -> str:
    """The phones that staff put away: their unsent scans are missing in the number."""
    if not building.put_away:
        return ""
    return gettext(
        "Put away by staff: %(phones)s. People they admitted without reporting it are not counted here.",
        phones=", ".join(
            gettext(
                "%(phone)s (heard at %(at)s)", phone=phone.label, at=format_time(phone.last_seen_at)
            )
            for phone in building.put_away
        ),
    )


def explain_building() -> str:
    """Explain what the number includes."""
    return gettext(
        "Everyone admitted, including people whom the other figures leave out. If two phones without a"
        " network admit people with the same ticket, both parties count, since both may be inside. People"
        " who leave are counted until a phone records their exit."
    )
