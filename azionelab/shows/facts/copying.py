"""What a copy of a show takes along beside its texts: facts and pictures."""

from sqlalchemy.orm import Session

from azionelab.media.pictures import copy_pictures
from azionelab.shows.models import Show

_FACTS = (
    "summaries",
    "descriptions",
    "credits",
    "access_notes",
    "press",
    "age_from",
    "spoken_language",
    "surtitles",
    "doors_minutes",
    "wheelchair",
    "companion",
    "hearing_loop",
    "strobe",
    "loud_noise",
    "haze",
    "reminders",
)


def copy_facts(session: Session, source_id: int, show: Show) -> None:
    """Give a new show the facts and pictures of another, in the caller's transaction; none of one that is gone.

    Titles in other languages go along when the title is the same.
    """
    source = session.get(Show, source_id)
    if source is None:
        return
    for name in _FACTS:
        setattr(show, name, getattr(source, name))
    if show.title == source.title:
        show.titles = source.titles
    session.add(show)
    session.flush()
    copy_pictures(session, source_id, show.id)
