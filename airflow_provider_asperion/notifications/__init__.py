"""Tells people what goes wrong, through the notifiers of Airflow."""
