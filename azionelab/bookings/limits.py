"""How many bookings one address on the network may try: shared by the form and the API.

It is there for seats that nobody wants and mails that nobody asked for. A form with a mistake in it
makes neither, and is not counted.
"""

from azionelab.rate_limits import RateLimit

booking_limit = RateLimit("booking", lambda settings: settings.booking_rate_limit)
