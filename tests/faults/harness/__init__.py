"""The bad day: people book, confirm, cancel and come while parts of the real site break. `make faults` runs all of it."""
