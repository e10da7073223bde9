"""The box office's pages: book for somebody, house seats."""
