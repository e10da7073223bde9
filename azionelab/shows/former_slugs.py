"""Addresses that shows had before. They go on leading to their show until staff give them up.

Triggers keep them, whoever changes a show's slug (migration 0013).
"""

import re
from collections.abc import Sequence

from sqlalchemy import delete, select

from azionelab.database import db, transaction
from azionelab.shows.limits import SLUG
from azionelab.shows.models import FormerSlug, Show


def find_current_slug(former: str) -> str | None:
    """The address now of the published show that had this one, whatever somebody typed there."""
    if not re.fullmatch(SLUG, former):
        return None
    return db.session.scalar(
        select(Show.slug).join(FormerSlug).where(FormerSlug.slug == former, Show.published)
    )


def list_former_slugs(show_id: int) -> Sequence[str]:
    """The addresses that a show had before."""
    return db.session.scalars(
        select(FormerSlug.slug).where(FormerSlug.show_id == show_id).order_by(FormerSlug.slug)
    ).all()


def release_slug(show_id: int, slug: str) -> None:
    """Let a former address lead nowhere, so that another show may take it."""
    with transaction() as session:
        session.execute(
            delete(FormerSlug).where(FormerSlug.show_id == show_id, FormerSlug.slug == slug)
        )
