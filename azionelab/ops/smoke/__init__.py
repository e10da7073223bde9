"""`flask smoke`: tests a deployment by booking as a visitor does."""
