"""A logo from an upload: checked and re-encoded as pictures of shows are, with what is transparent in it."""

from azionelab.media import files
from azionelab.media.encoding import LOGO, LOGO_FILE
from azionelab.theme.models import Logo


def encode_logo(upload: bytes) -> tuple[Logo, bytes]:
    """The logo and its picture (WebP). Raises media's Refused, StorageFull and StorageUnavailable."""
    with files.encode(upload, LOGO) as encoded:
        picture = (encoded.folder / LOGO_FILE).read_bytes()
        return Logo(encoded.digest, encoded.width, encoded.height), picture
