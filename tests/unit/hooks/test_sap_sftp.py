"""The SAP SFTP hook: who it trusts, how it logs in, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time

import asyncssh
import pytest

from airflow_provider_asperion.hooks import sap_sftp
from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.hooks.sap_sftp_form import connection_form
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sap.dropbox import DropFolder
from tests.support.scripted_sftp import PASSWORD, Script, public, scripted_sftp

pytestmark = pytest.mark.feature("W1")

ED25519, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
ECDSA = asyncssh.generate_private_key("ecdsa-sha2-nistp256")


@pytest.fixture
async def server(tmp_path):
    (tmp_path / "inbox").mkdir()
    async with scripted_sftp(tmp_path, host_keys=[ED25519]) as server:
        yield server


@pytest.fixture
def hook_for(monkeypatch, tmp_path):
    """Make a hook of the arguments of a connection. The account that runs the tests trusts nobody."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def hook_for(connection):
        monkeypatch.setenv("AIRFLOW_CONN_SAP", json.dumps(connection))
        return SapSftpHook("sap")

    return hook_for


async def problem_of(hook):
    with pytest.raises(ProblemError) as caught:
        async with hook.dropbox(DropFolder(inbox="inbox")):
            pass
    assert PASSWORD not in str(caught.value)
    return caught.value.problem


async def test_logs_in_and_prefers_the_quick_cipher(server, hook_for):
    hook = hook_for(server.connection())
    connection = await hook._get_conn()
    async with connection:
        assert connection.get_extra_info("send_cipher") == "aes128-gcm@openssh.com"
    async with hook.dropbox(DropFolder(inbox="inbox")) as box:
        assert await box.complete_files() == ([], [])


async def test_an_unknown_host_key_is_refused_with_what_to_paste(server, hook_for):
    connection = server.connection()
    del connection["extra"]["host_key"]
    began = time.monotonic()
    problem = await problem_of(hook_for(connection))
    assert time.monotonic() - began < 2, "trying a hopeless key again helps nobody"
    assert (problem.rule, problem.field, problem.transient) == ("sftp.host_key", "host_key", False)
    assert ED25519.get_fingerprint() in problem.message
    assert public(ED25519) in problem.remedy
    connection["extra"]["host_key"] = public(ED25519)
    async with hook_for(connection).dropbox(DropFolder(inbox="inbox")):
        pass


@pytest.mark.pain(10)
async def test_another_host_key_is_refused_with_both_fingerprints(server, hook_for):
    problem = await problem_of(hook_for(server.connection(host_key=public(OTHER))))
    assert problem.rule == "sftp.host_key"
    assert ED25519.get_fingerprint() in problem.message
    assert OTHER.get_fingerprint() in problem.message


@pytest.mark.parametrize("expected", [RSA, ECDSA])
async def test_another_kind_of_host_key_is_refused_with_both_fingerprints(server, hook_for, expected):
    problem = await problem_of(hook_for(server.connection(host_key=public(expected))))
    assert problem.rule == "sftp.host_key"
    assert not problem.transient
    assert expected.get_fingerprint() in problem.message
    assert ED25519.get_fingerprint() in problem.message


@pytest.mark.pain(10)
async def test_without_the_check_the_wrong_server_is_believed(server, hook_for, caplog, capfd):
    connection = server.connection(no_host_key_check=True)
    del connection["extra"]["host_key"]
    async with hook_for(connection).dropbox(DropFolder(inbox="inbox")):
        pass
    # Where Airflow's logging writes depends on its version.
    assert "not checked" in caplog.text + "".join(capfd.readouterr())


async def test_a_key_and_no_check_contradict_each_other(server, hook_for):
    problem = await problem_of(hook_for(server.connection(no_host_key_check=True)))
    assert problem.field == "no_host_key_check"


@pytest.mark.parametrize("order", [(OTHER, ED25519), (ED25519, OTHER), (RSA, ED25519)])
async def test_two_host_keys_while_one_is_being_changed(server, hook_for, order):
    text = "\n".join(public(key) for key in order)
    async with hook_for(server.connection(host_key=text)).dropbox(DropFolder(inbox="inbox")):
        pass


@pytest.mark.parametrize("pinned", [RSA, ECDSA, ED25519])
async def test_any_of_the_servers_keys_may_be_the_trusted_one(tmp_path, hook_for, pinned):
    async with scripted_sftp(tmp_path, host_keys=[ED25519, RSA, ECDSA]) as server:
        works, message = await hook_for(server.connection(host_key=public(pinned))).check()
        assert works, message


@pytest.mark.parametrize("form", ["{}", "erp.example.com {}", "{} comment", "  {}  \n\n"])
async def test_ways_to_write_a_host_key(server, hook_for, form):
    connection = server.connection(host_key=form.format(public(ED25519)))
    async with hook_for(connection).dropbox(DropFolder(inbox="inbox")):
        pass


async def test_a_bare_host_key_is_rsa_as_with_the_stock_hook(tmp_path, hook_for):
    async with scripted_sftp(tmp_path, host_keys=[RSA]) as server:
        connection = server.connection(host_key=public(RSA).split()[1])
        async with hook_for(connection).dropbox(DropFolder(inbox=".")):
            pass


async def test_known_hosts_file(server, hook_for, tmp_path):
    connection = server.connection(known_hosts=str(tmp_path / "known"))
    del connection["extra"]["host_key"]
    problem = await problem_of(hook_for(connection))
    assert (problem.field, problem.transient) == ("known_hosts", False)
    (tmp_path / "known").write_text(f"[127.0.0.1]:{server.port} {public(ED25519)}\n")
    async with hook_for(connection).dropbox(DropFolder(inbox="inbox")):
        pass


@pytest.mark.parametrize("changes", [{"password": "guess"}, {"login": "somebody"}, {"password": None}])
async def test_a_refused_login_is_permanent_and_keeps_the_secret(server, hook_for, changes):
    problem = await problem_of(hook_for(server.connection(**changes)))
    assert (problem.rule, problem.transient) == ("sftp.login_refused", False)
    assert "guess" not in str(problem)


async def test_nobody_listens(hook_for, unused_tcp_port):
    connection = {"conn_type": "sap_sftp", "host": "127.0.0.1", "port": unused_tcp_port, "login": "sap"}
    problem = await problem_of(hook_for(connection))
    assert (problem.rule, problem.transient) == ("sftp.unreachable", True)


async def test_a_server_that_never_speaks(hook_for, monkeypatch):
    monkeypatch.setattr(sap_sftp, "LOGIN_SECONDS", 0.3)
    silent = await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        problem = await problem_of(
            hook_for({"conn_type": "sap_sftp", "host": "127.0.0.1", "port": port, "login": "sap"})
        )
    assert (problem.rule, problem.transient) == ("sftp.unreachable", True)


async def test_a_server_without_sftp(tmp_path, hook_for):
    async with scripted_sftp(tmp_path, Script(subsystem=False)) as server:
        hook = hook_for(server.connection())
        problem = await problem_of(hook)
        assert (problem.rule, problem.transient) == ("sftp.no_sftp", False)
        assert (await hook.check())[0] is False


async def test_no_host(hook_for):
    problem = await problem_of(hook_for({"conn_type": "sap_sftp", "login": "sap"}))
    assert problem.field == "host"


@pytest.mark.parametrize(
    "extra", [{"private_key": "no key"}, {"key_file": "not/there"}, {"host_key": "rubbish"}]
)
async def test_a_field_that_cannot_be_read_is_named(server, hook_for, extra):
    problem = await problem_of(hook_for(server.connection(**extra)))
    assert (problem.rule, problem.field, problem.transient) == ("connection.field", next(iter(extra)), False)
    assert "no key" not in problem.message


async def test_a_key_with_a_wrong_passphrase_is_named(server, hook_for):
    locked = OTHER.export_private_key(passphrase="open sesame").decode()
    problem = await problem_of(
        hook_for(server.connection(private_key=locked, private_key_passphrase="guess"))
    )
    assert problem.field == "private_key"
    assert "guess" not in str(problem)


async def test_the_test_button_works_while_a_loop_is_running(server, hook_for):
    hook = hook_for(server.connection())
    # The server answers from this very loop, so the button must not stand in its way.
    works, message = await asyncio.to_thread(hook.test_connection)
    assert works, message
    assert "Logged in" in message


async def test_the_test_button_says_in_one_sentence_what_to_do(server, hook_for):
    for changes, words in (
        ({"password": "guess"}, "refuses the login"),
        ({"host_key": public(OTHER)}, ED25519.get_fingerprint()),
    ):
        works, message = await asyncio.to_thread(hook_for(server.connection(**changes)).test_connection)
        assert not works
        assert words in message
        assert "\n" not in message


def test_the_test_button_may_be_pressed_inside_a_loop(hook_for, unused_tcp_port):
    connection = {"conn_type": "sap_sftp", "host": "127.0.0.1", "port": unused_tcp_port, "login": "sap"}

    async def press():
        return hook_for(connection).test_connection()

    assert asyncio.run(press())[0] is False


def test_the_form_is_light_and_complete():
    form = connection_form()
    assert (form["connection-type"], form["hook-name"]) == (SapSftpHook.conn_type, SapSftpHook.hook_name)
    assert set(form["conn-fields"]) >= {"host_key", "private_key", "private_key_passphrase", "key_file"}
    for name in ("private_key", "private_key_passphrase"):
        assert form["conn-fields"][name]["schema"]["format"] == "password"
    script = (
        "import sys, airflow_provider_asperion.hooks.sap_sftp_form;"
        "print([name for name in ('airflow', 'asyncssh', 'pydantic') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
