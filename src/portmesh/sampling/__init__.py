"""Brings a part of production's data to this machine: which rows, which columns are masked, and where they go."""
