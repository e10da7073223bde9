"""A cluster of three PostgreSQL nodes in network namespaces, and what happens to bookings when its parts die."""
