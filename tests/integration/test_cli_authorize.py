"""`asperion authorize`: a person logs in at the sandbox's own pages, and the login lasts."""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli import authorize as command
from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.hooks import runtime
from tests.support.cli_world import world
from tests.support.sshd import free_port

pytestmark = pytest.mark.feature("W1")
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch) as made:
        made.asperion["access_token"] = None
        made.write()
        yield made


def consent(url, *, password="demo", answer="yes"):
    """Fill in the form of the login page; return the address that the browser is sent to."""
    form = urllib.parse.urlencode({"username": "demo", "password": password, "consent": answer}).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())
    with pytest.raises(urllib.error.HTTPError) as sent:
        opener.open(urllib.request.Request(url, data=form))
    return sent.value.headers["Location"]


def in_the_browser(monkeypatch, act):
    """Let the browser do something with the address that the command opens; return what it was shown."""
    shown = []

    def opened(url):
        threading.Thread(target=lambda: shown.extend(act(url)), daemon=True).start()
        return True

    monkeypatch.setattr(command.webbrowser, "open", opened)
    return shown


def fetch(address):
    try:
        with OPENER.open(address) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def run(*arguments):
    return main(["authorize", "--connection", "asperion_default", *arguments])


def test_a_login_in_the_browser_is_kept(place, monkeypatch, capsys):
    address = f"http://localhost:{free_port()}/callback"
    shown = in_the_browser(monkeypatch, lambda url: fetch(consent(url)))
    assert run("--redirect-uri", address) == 0
    said = capsys.readouterr().out
    assert "administration 1: Demo Groothandel B.V.  <- the connection's" in said
    assert shown[0] == 200
    assert "Logged in" in shown[1]
    with runtime.open_ledger() as ledger:
        kept = runtime.vault(ledger).load("asperion_default")
    assert kept["refresh_token"]
    for secret in (kept["refresh_token"], kept["access_token"], place.sandbox.client_secret):
        assert secret not in said
    # What was kept opens the API for the other commands.
    assert main(["check"]) == 0
    assert "OK    asperion login" in capsys.readouterr().out


def test_the_address_may_be_pasted(place, monkeypatch, capsys):
    class Person(io.StringIO):
        def readline(self):
            url = re.search(r"http\S+/connect/authorize\S+", capsys.readouterr().out)[0]
            return consent(url) + "\n"

    monkeypatch.setattr(sys, "stdin", Person())
    assert run("--no-browser", "--redirect-uri", "https://example.org/back") == 0
    assert "administration 2: Demo Retail B.V." in capsys.readouterr().out


def test_answers_of_others_are_turned_away(place, monkeypatch, capsys):
    address = f"http://127.0.0.1:{free_port()}/callback"

    def act(url):
        shown = [fetch(f"{address}?code=stolen&state=guessed")[0], fetch(address.replace("back", "x"))[0]]
        return [*shown, fetch(consent(url))[0]]

    shown = in_the_browser(monkeypatch, act)
    assert run("--redirect-uri", address) == 0
    assert shown == [400, 404, 200]


def test_who_does_not_consent_is_not_logged_in(place, monkeypatch, capsys):
    address = f"http://127.0.0.1:{free_port()}/callback"
    in_the_browser(monkeypatch, lambda url: fetch(consent(url, answer="no")))
    assert run("--redirect-uri", address) == 1
    told = capsys.readouterr().err
    assert "access_denied" in told
    with runtime.open_ledger() as ledger:
        assert runtime.vault(ledger).load("asperion_default") is None


def test_a_wrong_client_secret_is_one_line(place, monkeypatch, capsys):
    monkeypatch.setattr(type(place.sandbox), "client_secret", "wrong")
    place.write()
    address = f"http://127.0.0.1:{free_port()}/callback"
    in_the_browser(monkeypatch, lambda url: fetch(consent(url)))
    assert run("--redirect-uri", address) == 1
    told = capsys.readouterr().err.strip()
    assert told.splitlines()[-1].startswith("[asperion.login_refused]")
    assert "Traceback" not in told


def test_a_port_that_is_taken_is_one_line(place, capsys):
    taken = place.sandbox.url.rpartition(":")[2]
    assert run("--redirect-uri", f"http://127.0.0.1:{taken}/callback") == 1
    assert "authorize.port" in capsys.readouterr().err


def test_an_address_elsewhere_needs_pasting(place, capsys):
    assert run("--redirect-uri", "https://example.org/back") == 1
    assert "--no-browser" in capsys.readouterr().err


def test_a_missing_connection_is_one_line(place, capsys):
    assert main(["authorize", "--connection", "nope"]) == 1
    assert "connection.missing" in capsys.readouterr().err
