"""The SFTP server of the sandbox: lets in whom it should, and nobody out of its folder."""

from __future__ import annotations

import asyncio
import json
import stat

import asyncssh
import pytest

from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.sandbox.sftp_server import SandboxSftpServer

pytestmark = pytest.mark.feature("X1")


@pytest.fixture
async def server(tmp_path):
    async with SandboxSftpServer(tmp_path / "tree", tmp_path / "keys" / "host", password="secret") as server:
        yield server


def login(server, **changes):
    arguments = {
        "port": server.port,
        "username": server.user,
        "password": "secret",
        "client_keys": None,
        "agent_path": None,
        "config": None,
        "known_hosts": ([asyncssh.import_public_key(server.host_key)], [], []),
    }
    return asyncssh.connect(server.host, **{**arguments, **changes})


async def test_files_land_in_the_folder(server):
    async with login(server) as connection, connection.start_sftp_client() as client:
        await client.mkdir("orders")
        async with client.open("orders/a.xml", "wb") as file:
            await file.write(b"<a/>")
        await client.posix_rename("orders/a.xml", "orders/b.xml")
        assert [name for name in await client.listdir("/orders") if name[0] != "."] == ["b.xml"]
    assert (server.folder / "orders" / "b.xml").read_bytes() == b"<a/>"


@pytest.mark.parametrize("changes", [{"password": "guess"}, {"username": "root"}, {"password": None}])
async def test_nobody_else_gets_in(server, changes):
    with pytest.raises(asyncssh.PermissionDenied):
        async with login(server, **changes):
            pass


async def test_login_by_key(tmp_path):
    mine, other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    public = mine.export_public_key().decode()
    async with SandboxSftpServer(tmp_path / "tree", tmp_path / "host", authorized_key=public) as server:
        async with login(server, password=None, client_keys=[mine]) as connection:
            assert connection.get_extra_info("username") == "sap"
        with pytest.raises(asyncssh.PermissionDenied):
            async with login(server, client_keys=[other]):
                pass


async def test_a_door_without_any_key_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nobody could log in"):
        SandboxSftpServer(tmp_path, tmp_path / "host")


async def test_the_host_key_stays_and_is_private(tmp_path):
    seen = set()
    for _ in range(2):
        async with SandboxSftpServer(tmp_path / "tree", tmp_path / "host", password="secret") as server:
            seen.add((server.host_key, server.fingerprint))
    assert len(seen) == 1
    assert stat.S_IMODE((tmp_path / "host").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["host"]


async def test_nothing_leads_out_of_the_folder(server, tmp_path):
    (tmp_path / "outside.txt").write_text("secret")
    async with login(server) as connection, connection.start_sftp_client() as client:
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await client.stat("../outside.txt")
        for make in (client.symlink, client.link):
            with pytest.raises(asyncssh.SFTPError):
                await make("/../outside.txt", "inside.txt")
        with pytest.raises(asyncssh.Error):
            await connection.run("id", check=True)
        with pytest.raises(asyncssh.Error):
            await connection.open_connection(server.host, server.port)
    assert list(server.folder.iterdir()) == []


async def test_stopping_ends_open_connections(tmp_path):
    server = SandboxSftpServer(tmp_path / "tree", tmp_path / "host", password="secret")
    await server.start()
    async with login(server) as connection:
        async with asyncio.timeout(5):
            await server.stop()
            await server.stop()
            await connection.wait_closed()
    with pytest.raises(OSError, match="onnect"):
        await login(server)


async def test_the_hook_gets_in_with_the_connection_it_hands_out(server, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SANDBOX_SFTP", json.dumps(server.connection()))
    works, message = await SapSftpHook("sandbox_sftp").check()
    assert works, message
