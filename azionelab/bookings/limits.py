"""How many bookings one address on the network may try: shared by the form and the API."""

from azionelab.rate_limits import RateLimit

booking_limit = RateLimit("booking", lambda settings: settings.booking_rate_limit)
