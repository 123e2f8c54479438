"""`python -m airflow_provider_asperion` runs the same commands as `asperion`."""

from airflow_provider_asperion.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(program="python -m airflow_provider_asperion"))
