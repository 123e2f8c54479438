"""Hooks: a connection of Airflow becomes a client."""
