"""docker-compose.yaml and what it is made of: no secret in it, nobody is root, every name leads somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml
from cryptography.fernet import Fernet

from airflow_provider_asperion import __version__
from airflow_provider_asperion.sandbox.demo_orders import files
from airflow_provider_asperion.settings import load_settings

if TYPE_CHECKING:
    from types import ModuleType

REPOSITORY = Path(__file__).resolve().parents[2]
DOCKER = REPOSITORY / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ENDS = {"secrets", "init", "sandbox-connect"}
SECRET = re.compile(r"password|secret|_key|token|sql_alchemy|broker|result_backend", re.IGNORECASE)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCKER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The three volumes of secrets, as the first service leaves them."""
    for name in ("airflow", "postgres", "redis"):
        (tmp_path / f"{name}-secrets").mkdir()
    script("make_secrets").main(tmp_path)
    return tmp_path


def volumes(service: dict[str, Any]) -> dict[str, str]:
    """Return what is mounted where; a variable stands as its default."""
    lines = [re.sub(r"\$\{\w+:-(.*?)\}", r"\1", line) for line in service.get("volumes", [])]
    return {line.split(":")[1]: line.split(":")[0] for line in lines}


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_root(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].partition(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_who_stays_is_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert ("healthcheck" in service) == (name not in ENDS)
    assert service["restart"] == ("no" if name in ENDS else "unless-stopped")


@pytest.mark.parametrize("name", SERVICES)
def test_each_dependency_is_there_and_can_be_waited_for(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        ends = "service_completed_successfully"
        assert how["condition"] == (ends if other in ENDS else "service_healthy")
        # A service outside the profile would be waited for in vain.
        assert set(SERVICES[other].get("profiles", [])) <= set(SERVICES[name].get("profiles", []))


def test_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        image, _, tag = service["image"].partition(":")
        assert tag, name
        assert tag != "latest", name
        if image == "airflow-asperion":
            assert tag.endswith(f":-{__version__}}}")
    assert SERVICES["postgres"]["image"].startswith("postgres:17")
    assert SERVICES["redis"]["image"].startswith("redis:7.4")


def test_image_has_the_locked_airflow() -> None:
    (version,) = re.findall(r"^ARG AIRFLOW_VERSION=(\S+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    lock = (REPOSITORY / "requirements" / "lock.txt").read_text()
    assert f"\napache-airflow=={version} " in lock


@pytest.mark.parametrize("name", SERVICES)
def test_each_volume_and_file_is_there(name: str) -> None:
    for source in volumes(SERVICES[name]).values():
        if source.startswith("."):
            assert (REPOSITORY / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_only_this_machine_is_let_in(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_in_the_environment(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(variable):
            assert variable.endswith(("_CMD", "_FILE")), variable
            assert re.fullmatch(r"(cat )?/run/[a-z]+-secrets/[a-z_]+", value), variable


@pytest.mark.parametrize("name", SERVICES)
def test_each_secret_is_made_and_mounted(name: str, made: Path) -> None:
    mounted = volumes(SERVICES[name])
    for path in re.findall(r"/run/[a-z]+-secrets/[a-z_.]+", json.dumps(SERVICES[name])):
        assert (made / Path(path).relative_to("/run")).is_file(), path
        assert str(Path(path).parent) in mounted, path


def test_secrets_are_read_by_whom_they_are_for() -> None:
    """PostgreSQL and Redis see their own password, not Airflow's keys."""
    readers = {
        source: {name for name, service in SERVICES.items() if source in volumes(service).values()}
        for source in ("airflow-secrets", "postgres-secrets", "redis-secrets")
    }
    assert readers["postgres-secrets"] == {"secrets", "postgres"}
    assert readers["redis-secrets"] == {"secrets", "redis"}
    assert not readers["airflow-secrets"] & {"postgres", "redis", "sandbox"}
    for name, service in SERVICES.items():
        for line in service["volumes"]:
            assert name == "secrets" or "-secrets:" not in line or line.endswith(":ro")


def test_secrets_are_made_once(made: Path) -> None:
    before = {path: path.read_text() for path in made.rglob("*") if path.is_file()}
    script("make_secrets").main(made)
    assert {path: path.read_text() for path in made.rglob("*") if path.is_file()} == before


def test_secrets_differ_and_fit_together(made: Path) -> None:
    texts = {path.name: path.read_text() for path in made.rglob("*") if path.is_file()}
    random = [texts[name] for name in texts if name.endswith(("password", "_key", "jwt_secret"))]
    assert len(set(random)) == len(random) == 7
    assert all(len(one) >= 32 for one in random)
    Fernet(texts["fernet_key"].encode())
    assert urlsplit(texts["database_url"]).password == texts["airflow_password"]
    assert urlsplit(texts["result_backend"]).password == texts["airflow_password"]
    assert urlsplit(texts["ledger_url"]).password == texts["ledger_password"]
    assert urlsplit(texts["broker_url"]).password == texts["password"]
    assert f"requirepass {texts['password']}\n" in texts["redis.conf"]


def test_airflow_secrets_are_for_airflow_alone(made: Path) -> None:
    for path in (made / "airflow-secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_settings_fit() -> None:
    settings = load_settings(DOCKER / "asperion.yaml")
    assert f"add {settings.ledger.connection} " in (DOCKER / "init.sh").read_text()
    folder = settings.integrations["default"].flows.orders_to_asperion
    assert folder is not None
    assert f"sftp/{folder.folder.inbox}" == script("connect_sandbox").INBOX


def test_sandbox_is_started_with_arguments_it_knows() -> None:
    from airflow_provider_asperion.sandbox.__main__ import _parser

    words = shlex.split(SERVICES["sandbox"]["command"][0].partition(" > ")[0])
    assert words[:3] == ["exec", "python", "-m"]
    options = _parser().parse_args(words[4:])
    ports = {int(line.rpartition(":")[2]) for line in SERVICES["sandbox"]["ports"]}
    assert ports == {options.port, options.sftp_port}
    assert options.host == SERVICES["sandbox"]["hostname"] == "sandbox"
    assert str(options.folder).startswith("/var/lib/sandbox/")


@pytest.mark.feature("X1")
def test_sandbox_is_connected() -> None:
    from airflow_provider_asperion.sandbox import Sandbox
    from airflow_provider_asperion.sandbox.__main__ import _asperion

    sftp = {"host": "sandbox", "port": 2222, "username": "sap", "password": "p", "host_key": "ssh-ed25519 A"}
    box = Sandbox(host="sandbox", port=8400, allow_remote=True)
    made = script("connect_sandbox").connections({"asperion": _asperion(box), "sftp": sftp})
    assert (made["asperion_default"]["host"], made["asperion_default"]["port"]) == ("sandbox", 8400)
    assert made["asperion_default"]["extra"]["token_url"] == "http://sandbox:8400/connect/token"
    assert made["sap_sftp_default"]["extra"]["host_key"] == "ssh-ed25519 A"


@pytest.mark.feature("X1")
def test_order_files_are_dropped_once(tmp_path: Path) -> None:
    drop = script("connect_sandbox").drop
    names = [name for name, _ in files()]
    assert drop(tmp_path / "orders") == names
    (tmp_path / "orders" / "archive").mkdir()
    (tmp_path / "orders" / names[0]).rename(tmp_path / "orders" / "archive" / names[0])
    assert drop(tmp_path / "orders") == []
