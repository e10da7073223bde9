"""The programme's pages and API, and the data about events that search engines read."""
