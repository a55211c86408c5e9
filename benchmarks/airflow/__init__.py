"""Measures the mesh on Airflow."""
