"""The rules of the business, one package or module per flow. Knows nothing of Airflow."""
