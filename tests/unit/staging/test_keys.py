"""The local key: one for all processes, for its user's eyes only."""

from __future__ import annotations

import multiprocessing
import stat

import pytest

from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.staging import keys, local_key
from tests.support import ledger_workers

pytestmark = pytest.mark.feature("W6")


def test_the_key_is_made_once_and_for_its_user_only(tmp_path) -> None:
    token = local_key(tmp_path / "a").encrypt(b"x")
    assert local_key(tmp_path / "a").decrypt(token) == b"x"
    (file,) = (tmp_path / "a").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_that_others_may_read_is_refused(tmp_path) -> None:
    local_key(tmp_path)
    (tmp_path / keys.FILE_NAME).chmod(0o640)
    with pytest.raises(ProblemError, match="chmod 600"):
        local_key(tmp_path)


def test_a_file_without_a_key_is_a_problem_that_does_not_show_it(tmp_path) -> None:
    path = tmp_path / keys.FILE_NAME
    path.write_bytes(b"secret-but-no-key")
    path.chmod(0o600)
    with pytest.raises(ProblemError, match="no key") as caught:
        local_key(tmp_path)
    assert "secret" not in str(caught.value)


def test_who_comes_second_takes_the_key_of_the_first(tmp_path, monkeypatch) -> None:
    first = local_key(tmp_path).encrypt(b"x")
    keys._make(tmp_path / keys.FILE_NAME)  # as one that saw no file a moment ago
    assert local_key(tmp_path).decrypt(first) == b"x"
    assert len(list(tmp_path.iterdir())) == 1


def test_processes_that_start_at_once_have_one_key(tmp_path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(3), spawn.Queue()
    workers = [
        spawn.Process(target=ledger_workers.make_key, args=(tmp_path / "new", barrier, answers))
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    tokens = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(30)
    key = local_key(tmp_path / "new")
    assert {key.decrypt(token) for token in tokens} == {b"who"}
