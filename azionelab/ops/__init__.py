"""Running AzioneLab: commands, health, and the site on a bare machine."""
