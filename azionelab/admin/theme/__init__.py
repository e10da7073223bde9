"""The look of the visitors' pages, changed by staff."""
