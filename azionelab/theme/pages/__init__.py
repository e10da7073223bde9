"""Theme files for browsers, and the theme in templates."""
