"""What a show's page tells: texts in the reader's language, credits, quotes, the way to the venue."""
