"""The performance that a request at the door is about."""

from flask import abort

from azionelab.database import now
from azionelab.shows.programme import Listing, listing


def get_performance(performance_id: int) -> Listing:
    """The performance as it stands now; 404 for an unknown one."""
    performance = listing(performance_id, now())
    if performance is None:
        abort(404)
    return performance
