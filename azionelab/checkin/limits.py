"""Limits of the door's forms and API."""

from azionelab.shows.limits import MAX_PARTY
from azionelab.web.rate_limits import RateLimit

MAX_PEOPLE = 1000  # per scan
MAX_WALK_INS = MAX_PARTY  # per admission
MAX_ACTIONS = 100  # in one sync
MAX_QUERY = 200  # characters
MAX_DOOR = 60  # characters
# Per device or account: enough for a busy door, and too slow to harvest all names.
SEARCHES = RateLimit("door-search", lambda _settings: "60 per minute", spares_box_office=False)
