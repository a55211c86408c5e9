"""A run of a scheduler: what it builds, what it goes on with after a kill, and what it reports."""
