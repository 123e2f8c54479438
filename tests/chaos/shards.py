"""Shares runs of the bench out over stages, each with all its servers in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.bench import Verdict

# Arguments of Bench.run, and with which protection switched off.
Job = dict[str, Any]


def verdicts_of(jobs: list[Job], count: int, until: str | None = None) -> Iterator[Verdict]:
    """Share the jobs out over stages, each in a process of its own.

    :param until: no new job once this invariant was violated.
    """
    context = multiprocessing.get_context("spawn")
    waiting, done = context.Queue(), context.Queue()
    for job in jobs:
        waiting.put(job)
    stages = [context.Process(target=_stage, args=(waiting, done)) for _ in range(min(count, len(jobs)))]
    for stage in stages:
        waiting.put(None)
        stage.start()
    left = len(stages)
    while left:
        verdict = done.get()
        if verdict is None:
            left -= 1
            continue
        if until and any(text.startswith(until) for text in verdict.violations):
            while not waiting.empty():
                waiting.get()
            for _ in stages:
                waiting.put(None)
        yield verdict
    for stage in stages:
        stage.join()


def _stage(waiting: Any, done: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        os.environ["AIRFLOW_HOME"] = f"{folder}/airflow"
        from tests.chaos.bench import Bench
        from tests.chaos.runs import context_of_workers
        from tests.chaos.stage import Stage

        workers = context_of_workers()
        try:
            with Stage(Path(folder) / "stage") as stage:
                while (job := waiting.get()) is not None:
                    without = job.pop("without", None)
                    done.put(Bench(stage, workers, without=without).run(**job))
        finally:
            done.put(None)
