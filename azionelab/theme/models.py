"""ThemeVersion: the look of the visitors' pages as staff saved it; of all versions the newest counts."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base, UserText


class Fonts(StrEnum):
    """A pair of typefaces, by the one of the headings."""

    BODONI = "bodoni"
    FRAUNCES = "fraunces"
    INSTRUMENT = "instrument"
    DEVICE = "device"


@dataclass(frozen=True)
class Logo:
    """A logo: its digest and size in pixels."""

    digest: str
    width: int
    height: int


@dataclass(frozen=True)
class Theme:
    """What the theatre chose. Empty: as shipped, with the name of the settings. Texts are by language."""

    name: str = ""
    accent: str = ""
    fonts: Fonts = Fonts.BODONI
    welcome: dict[str, str] = field(default_factory=dict)
    footer: dict[str, str] = field(default_factory=dict)
    logo: Logo | None = None


class ThemeVersion(Base):
    """A saved theme. Rows are only added; `logo` is the picture itself (WebP), named by its digest."""

    __tablename__ = "theme_version"
    __table_args__ = (
        CheckConstraint("accent = '' OR accent ~ '^#[0-9a-f]{6}$'", name="accent_form"),
        CheckConstraint("(logo IS NULL) = (logo_digest = '')", name="logo_whole"),
    )

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[UserText]
    accent: Mapped[str]
    fonts: Mapped[str]
    welcome: Mapped[dict[str, str]] = mapped_column(JSONB)
    footer: Mapped[dict[str, str]] = mapped_column(JSONB)
    logo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    logo_digest: Mapped[str]
    logo_width: Mapped[int]
    logo_height: Mapped[int]
    written_at: Mapped[datetime]
    written_by: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )

    @property
    def theme(self) -> Theme:
        """What it says. Fonts of another release are the shipped ones."""
        return Theme(
            self.name,
            self.accent,
            Fonts(self.fonts) if self.fonts in tuple(Fonts) else Fonts.BODONI,
            self.welcome,
            self.footer,
            Logo(self.logo_digest, self.logo_width, self.logo_height) if self.logo_digest else None,
        )
