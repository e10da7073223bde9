"""What the theatre says about itself and the site, made from the settings."""
