"""Makes every secret of the deployment, once, as files: what exists stays as it is."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from cryptography.fernet import Fernet


def main(root: Path = Path("/run")) -> None:
    """Write the files into the three volumes, one per reader."""
    airflow, postgres, redis = (root / f"{name}-secrets" for name in ("airflow", "postgres", "redis"))
    # PostgreSQL and Redis run as other users: for all to read, in a volume that nobody else has.
    database = kept(postgres / "airflow_password", 0o444)
    ledger = kept(postgres / "ledger_password", 0o444)
    broker = kept(redis / "password", 0o444)
    put(redis / "redis.conf", f"requirepass {broker}\nappendonly yes\ndir /data\n", 0o444)

    kept(airflow / "admin_password", 0o400)
    kept(airflow / "api_secret_key", 0o400)
    kept(airflow / "jwt_secret", 0o400)
    kept(airflow / "fernet_key", 0o400, Fernet.generate_key().decode())
    address = f"airflow:{database}@postgres/airflow"
    put(airflow / "database_url", f"postgresql+psycopg2://{address}", 0o400)
    put(airflow / "result_backend", f"db+postgresql+psycopg2://{address}", 0o400)
    put(airflow / "broker_url", f"redis://:{broker}@redis:6379/0", 0o400)
    put(airflow / "ledger_url", f"postgres://asperion:{ledger}@postgres:5432/asperion", 0o400)


def kept(path: Path, mode: int, fresh: str | None = None) -> str:
    """Return what the file holds; make it first if there is none."""
    if not path.exists():
        put(path, fresh or secrets.token_urlsafe(32), mode)
    return path.read_text()


def put(path: Path, text: str, mode: int) -> None:
    """Write a file whole or not at all, readable by whom it is for from its first moment."""
    half = path.with_name(path.name + ".half")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    half.write_text(text)
    half.chmod(mode)
    half.replace(path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
