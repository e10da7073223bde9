"""Reads and saves the theme. Each save is a row of versions, of which the newest counts."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.database import now, transaction, violated_constraint
from azionelab.theme.colours import is_colour, is_readable, nearest_readable
from azionelab.theme.models import Theme, ThemeVersion

_LISTED = 20  # versions


class ThemeChanged(Exception):
    """Somebody else saved a version after the one that was shown."""


class AccentRefused(Exception):
    """The accent has too little contrast. `nearest` is the nearest colour that has enough."""

    def __init__(self, nearest: str) -> None:
        super().__init__(nearest)
        self.nearest = nearest


def check_accent(accent: str) -> None:
    """Raise AccentRefused for a colour that cannot be read, and ValueError for what is none."""
    if accent and not is_colour(accent):
        raise ValueError(accent)
    if accent and not is_readable(accent):
        raise AccentRefused(nearest_readable(accent))


def read_versions(session: Session) -> Sequence[ThemeVersion]:
    """The newest versions, the newest first."""
    return session.scalars(
        select(ThemeVersion).order_by(ThemeVersion.version.desc()).limit(_LISTED)
    ).all()


def read_theme(session: Session) -> Theme:
    """The theme in use."""
    newest = session.scalar(select(ThemeVersion).order_by(ThemeVersion.version.desc()).limit(1))
    return newest.theme if newest else Theme()


def read_logo(session: Session, digest: str) -> bytes | None:
    """The logo with this digest, of any version; None when there is none."""
    return session.scalar(
        select(ThemeVersion.logo).where(ThemeVersion.logo_digest == digest).limit(1)
    )


def save_theme(theme: Theme, *, seen: int, by: int | None, logo: bytes | None = None) -> bool:
    """Save a theme as the version after `seen`; whether it differs from that one.

    `logo` is the picture of `theme.logo` when it is a new one. No row is locked: of two that add the same version the
    key refuses one. Raises AccentRefused, and ThemeChanged when `seen` is not the newest version.
    """
    check_accent(theme.accent)
    try:
        with transaction() as session:
            versions = read_versions(session)
            newest = versions[0] if versions else None
            if (newest.version if newest else 0) != seen:
                raise ThemeChanged
            if theme == (newest.theme if newest else Theme()):
                return False
            picture = logo
            if theme.logo and picture is None:
                picture = read_logo(session, theme.logo.digest)
            kept = theme if picture else replace(theme, logo=None)
            session.add(
                ThemeVersion(
                    version=seen + 1,
                    name=kept.name,
                    accent=kept.accent,
                    fonts=kept.fonts.value,
                    welcome=kept.welcome,
                    footer=kept.footer,
                    logo=picture if kept.logo else None,
                    logo_digest=kept.logo.digest if kept.logo else "",
                    logo_width=kept.logo.width if kept.logo else 0,
                    logo_height=kept.logo.height if kept.logo else 0,
                    written_at=now(),
                    written_by=by,
                )
            )
            return True
    except IntegrityError as error:
        if violated_constraint(error) == "pk_theme_version":
            raise ThemeChanged from error
        raise
