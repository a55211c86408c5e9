"""The infrastructure that follows from the mesh: databases, work groups and roles of each domain."""
