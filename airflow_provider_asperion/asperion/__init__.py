"""The Asperion side: an async client of its API, typed calls over it, and login. No Airflow in here."""
