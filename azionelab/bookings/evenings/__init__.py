"""Changes of many evenings at once: what they would do, and doing it."""
