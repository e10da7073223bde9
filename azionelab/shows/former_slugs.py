"""Former slugs of shows: they redirect to the show until staff release them.

Triggers record them on each change of a slug (migration 0013).
"""

import re
from collections.abc import Sequence
from itertools import count

from sqlalchemy import delete, select

from azionelab.database import db, transaction
from azionelab.shows.limits import MAX_SLUG, SLUG
from azionelab.shows.models import FormerSlug, Show


def find_current_slug(former: str) -> str | None:
    """The current slug of the published show that had `former`, which may be any string."""
    if not re.fullmatch(SLUG, former):
        return None
    return db.session.scalar(
        select(Show.slug).join(FormerSlug).where(FormerSlug.slug == former, Show.published)
    )


def list_former_slugs(show_id: int) -> Sequence[str]:
    """A show's former slugs."""
    return db.session.scalars(
        select(FormerSlug.slug).where(FormerSlug.show_id == show_id).order_by(FormerSlug.slug)
    ).all()


def find_free_slug(wanted: str) -> str:
    """The slug that is wanted, or with the first free number after it: `amleto-2`."""
    stem = wanted[: MAX_SLUG - 4].rstrip("-")
    taken = {
        *db.session.scalars(select(Show.slug).where(Show.slug.startswith(stem))),
        *db.session.scalars(select(FormerSlug.slug).where(FormerSlug.slug.startswith(stem))),
    }
    if wanted not in taken:
        return wanted
    return next(slug for number in count(2) if (slug := f"{stem}-{number}") not in taken)


def release_slug(show_id: int, slug: str) -> None:
    """Delete a former slug, so that another show may use it."""
    with transaction() as session:
        session.execute(
            delete(FormerSlug).where(FormerSlug.show_id == show_id, FormerSlug.slug == slug)
        )
