"""The demonstration season: invented shows, people and evenings, in every state that staff meet."""
