"""How many bookings one address on the network may try: shared by the form and the API."""

from flask import current_app

from azionelab.extensions import limiter

booking_limit = limiter.shared_limit(
    lambda: current_app.config["AZIONELAB"].booking_rate_limit, scope="booking", methods=["POST"]
)
