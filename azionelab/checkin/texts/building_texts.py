"""How many people are in the building, in words: its parts, and how sure they are."""

from flask_babel import gettext

from azionelab.checkin.house.building import Building
from azionelab.web.dates import clock, is_same_day, when


def tell_silent(phones: str) -> str:
    """Why it may be too early to release places: of phones that may have let people in."""
    return gettext(
        "Phones that were not heard from for a minute: %(phones)s. People whom they let in meanwhile are"
        " missing here, and their places would be released, too.",
        phones=phones,
    )


def tell_parts(building: Building) -> str:
    """Of whom the figure consists, where not all of them are in the books, and who is out."""
    told = []
    if building.people != building.counted:
        parts = gettext(
            "%(counted)s counted, %(beyond)s in conflicts, %(revoked)s let in by revoked phones.",
            counted=building.counted,
            beyond=building.beyond,
            revoked=building.by_revoked,
        )
        told.append(parts)
    if building.outside:
        told.append(gettext("Out for the interval: %(num)s.", num=building.outside))
    return " ".join(told)


def tell_known(building: Building) -> str:
    """When the figure was last sure, and whose word is missing since."""
    known, unheard = building.known_at, building.unheard
    at = clock(known) if is_same_day(known, building.at) else when(known)
    if not unheard:
        return gettext("Surely known at %(at)s.", at=at)
    return gettext(
        "Surely known at %(at)s. Since then not heard from, and may have let in more: %(phones)s.",
        at=at,
        phones=", ".join(phone.label for phone in unheard),
    )


def tell_put_away(building: Building) -> str:
    """Whose word nobody waits for any more, though it may be missing."""
    if not building.put_away:
        return ""
    return gettext(
        "Put away by staff, and not waited for: %(phones)s. Whom they let in and did not tell is missing here.",
        phones=", ".join(
            gettext("%(phone)s (heard at %(at)s)", phone=phone.label, at=clock(phone.last_seen_at))
            for phone in building.put_away
        ),
    )


def explain_building() -> str:
    """What the figure counts and what it does not."""
    return gettext(
        "Everybody who came in, also those whom the books cannot count. If two phones without a network let in"
        " people by the same ticket, both parties are counted: both may be inside. Who goes out is counted until a"
        " phone lets them out."
    )
