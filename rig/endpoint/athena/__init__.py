"""Athena's API and Athena's SQL in front of Trino."""
