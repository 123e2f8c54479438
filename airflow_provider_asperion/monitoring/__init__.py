"""The pages inside Airflow: what flows, what was refused and why, each record's trail, set-up."""
