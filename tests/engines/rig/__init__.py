"""The rigs themselves: what they do as AWS does, and what they refuse as AWS refuses it."""
