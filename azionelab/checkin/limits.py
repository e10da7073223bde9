"""What fits through the door: limits of its forms, its API and its devices."""

MAX_PEOPLE = 1000  # in one scan
MAX_WALK_INS = 100  # at a time; as many as a party has at most
MAX_ACTIONS = 100  # in one sync
MAX_QUERY = 200  # characters
MAX_DOOR = 60  # characters
