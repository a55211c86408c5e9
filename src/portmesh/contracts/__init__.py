"""Contracts of ports: kept up with their models, and exchanged in the field's standards."""
