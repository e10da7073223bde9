"""Mutation tests: the rules are changed in small ways, one at a time, and the tests have to notice each."""
