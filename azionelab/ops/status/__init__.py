"""The site's status in words: what is well, what needs a person and what to do, what is not known."""
