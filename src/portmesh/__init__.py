"""The platform kit of Portmesh: what a data mesh in dbt needs and dbt cannot do."""

__version__ = "0.1.0"
