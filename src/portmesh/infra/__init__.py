"""Generates the infrastructure that the mesh needs: databases, work groups and roles of each domain."""
