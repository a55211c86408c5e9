"""The pages of dbt's docs site that follow from the mesh: its home, its products and its ports."""
