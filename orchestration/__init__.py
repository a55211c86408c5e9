"""How the mesh runs on Airflow: the DAGs, what an Airflow needs for them, and an Airflow on this machine."""
