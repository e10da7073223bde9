"""Picture: a poster or photograph of a show."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base, UserText
from azionelab.database.row_versions import Versioned
from azionelab.languages import language_tag

URL_PREFIX = "/media"
SUFFIXES = ("avif", "webp", "jpg")  # the best first


class Picture(Versioned, Base):
    """A picture of a show; of those that are not removed, the first by `position` is its poster.

    `digest` names its files, which hold the widths of `widths` in pixels; `width` and `height` are those of the
    largest. `alt` has a text for each language. The focal point is in percent from the left and the top. A removed
    picture can be put back for a while (`pictures.KEPT_FOR`).
    """

    __tablename__ = "picture"
    __table_args__ = (
        CheckConstraint("digest ~ '^[0-9a-f]{32}$'", name="digest_form"),
        CheckConstraint("width > 0 AND height > 0", name="size_given"),
        CheckConstraint("focal_x BETWEEN 0 AND 100", name="focal_x_range"),
        CheckConstraint("focal_y BETWEEN 0 AND 100", name="focal_y_range"),
        Index("ix_picture_show_id", "show_id", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("show.id", ondelete="CASCADE"))
    position: Mapped[int]
    digest: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    widths: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    alt: Mapped[dict[str, str]] = mapped_column(JSONB)
    credit: Mapped[UserText] = mapped_column(default="", server_default="")
    focal_x: Mapped[int] = mapped_column(default=50, server_default="50")
    focal_y: Mapped[int] = mapped_column(default=50, server_default="50")
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    def alt_in(self, tag: str) -> tuple[str, str]:
        """The alternative text in a language, or else in another, and that language's tag, as HTML names it."""
        texts = {language_tag(code): text for code, text in self.alt.items() if text}
        if tag in texts:
            return texts[tag], tag
        return next(((text, other) for other, text in texts.items()), ("", tag))

    def url(self, width: int | None = None, suffix: str = "jpg") -> str:
        """The path of a file: of the largest one, unless a width is given."""
        return f"{URL_PREFIX}/{self.digest}-{width or self.widths[-1]}.{suffix}"

    def srcset(self, suffix: str) -> str:
        """All widths of a format, for `srcset`."""
        return ", ".join(f"{self.url(width, suffix)} {width}w" for width in self.widths)

    def url_for_width(self, least: int) -> str:
        """The JPEG that is at least so wide, or else the largest."""
        return self.url(next((width for width in self.widths if width >= least), None))

    def __str__(self) -> str:
        return next((text for text in self.alt.values() if text), self.digest)
