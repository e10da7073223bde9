"""`make bench`: what the site carries on this machine, as ratios to a bare Flask application."""
