"""Says when each product is built: the file from which Airflow makes its DAGs."""
