"""Tells a product's owner, once for a cause, that a port was refused or a run failed."""
