"""What is on: venues, shows, performances, the programme."""
