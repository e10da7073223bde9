"""What fits through the door: limits of its forms, its API and its devices."""

from azionelab.shows.limits import MAX_PARTY
from azionelab.web.rate_limits import RateLimit

MAX_PEOPLE = 1000  # in one scan
MAX_WALK_INS = MAX_PARTY  # at a time
MAX_ACTIONS = 100  # in one sync
MAX_QUERY = 200  # characters
MAX_DOOR = 60  # characters
# Of one device or account: no queue asks for a name a second, and who tries all names has to take an hour.
SEARCHES = RateLimit("door-search", lambda _settings: "60 per minute", spares_box_office=False)
