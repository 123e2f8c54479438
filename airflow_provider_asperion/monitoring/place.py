"""Where the pages stand in Airflow."""

PREFIX = "/asperion"
