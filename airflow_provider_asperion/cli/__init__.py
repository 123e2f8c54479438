"""The command line: `airflow asperion ...`, `asperion ...` and `python -m airflow_provider_asperion ...`."""
