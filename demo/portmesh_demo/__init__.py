"""The demonstration: a grocery's source system, whose data lands with flaws on request."""
