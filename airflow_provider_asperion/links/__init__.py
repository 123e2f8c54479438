"""Links from Airflow's pages to ours."""
