"""Compares the published rows of ports with those that a branch built in its own environment."""
