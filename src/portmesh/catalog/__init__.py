"""Generates the mesh's pages for dbt's docs site: a home page, and a page for each product and each port."""
