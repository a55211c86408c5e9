"""Keeps the lake tidy: removes what failed runs left behind, compacts files and expires old versions."""
