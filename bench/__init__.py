"""`make bench`: the site's throughput on this machine, relative to a bare Flask application."""
