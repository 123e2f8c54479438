"""Runs a DAG as Airflow does: each task instance is a process; what failed is cleared later."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos.worker import DONE, FAILED_FOR_GOOD, LEASE_SECONDS, Deed, TaskOrder, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.context import ForkServerContext

FIRST = {"orders": "list", "products": "extract", "stock": "extract"}
# No task of the bench takes that long; one that does hangs, and that is a violation of its own.
LONGEST_SECONDS = 90.0


class HungError(Exception):
    """A task did not end."""


def context_of_workers() -> ForkServerContext:
    """Return what makes workers: copies of a process that has loaded everything and has no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.preload"])
    return context


@dataclass
class DagRun:
    """One run of a DAG, with what its tasks have returned so far.

    :param deeds: what happens to the n-th process of this run, from 0.
    :param tries: how often a task is tried.
    """

    dag: str
    run: str
    environment: dict[str, str]
    logs: Path
    workers: ForkServerContext
    deeds: dict[int, Deed] = field(default_factory=dict)
    tries: int = 1
    without: str | None = None
    on_stop: Callable[[], None] = lambda: None
    results: dict[tuple[str, int], Any] = field(default_factory=dict)
    pushed: dict[str, Any] = field(default_factory=dict)
    processes: int = 0

    def go(self) -> bool:
        """Run what has not succeeded yet; return whether all did."""
        first = FIRST[self.dag]
        if not self._all(first, [{}]):
            good = False
        elif self.dag == "orders":
            good = self._orders()
        else:
            batches = self.results[first, -1]
            good = self._all("publish", [{"batch": batch} for batch in batches])
        if self.dag == "orders" and (first, -1) in self.results and not self.results[first, -1]:
            return good  # nothing to read: all that follows is skipped
        return self._settle() and good

    def clear(self) -> None:
        """Forget what the tasks returned: all of them run again."""
        self.results.clear()
        self.pushed.clear()

    def _orders(self) -> bool:
        groups = self.results["list", -1]
        if not self._all("read", [{"files": group} for group in groups]):
            return False
        from airflow_provider_asperion.operators.orders import all_batches

        batches = all_batches.function(self._answers("read"), orders_per_task=6)
        return self._all("deliver", [{"batch": batch} for batch in batches])

    def _settle(self) -> bool:
        # It runs in any case, and again whenever something before it did.
        self.results.pop(("settle", -1), None)
        if self.dag == "orders":
            given = {"read": self._answers("read"), "delivered": self._answers("deliver")}
        else:
            given = {
                "extracted": self.results.get(("extract", -1)) or [],
                "published": self._answers("publish"),
            }
        return self._all("settle", [given])

    def _answers(self, task: str) -> list[Any]:
        found = sorted(key for key in self.results if key[0] == task)
        told = [self.results[key] for key in found]
        return told + [self.pushed[key] for key in sorted(self.pushed) if key.startswith(f"{task}!")]

    def _all(self, task: str, inputs: Iterable[dict[str, Any]]) -> bool:
        several = list(inputs)
        mapped = task in ("read", "deliver", "publish")
        good = True
        for place, given in enumerate(several):
            index = place if mapped else -1
            if (task, index) not in self.results:
                good &= self._one(task, index, given)
        return good

    def _one(self, task: str, index: int, given: dict[str, Any]) -> bool:
        for attempt in range(1, self.tries + 1):
            code, answer, pushed = self._process(task, index, attempt, given)
            self.pushed.pop(f"{task}!{index}", None)
            if code == DONE:
                self.results[task, index] = answer
                self.pushed |= {f"{task}.{name}": value for name, value in pushed.items()}
                return True
            if answer is not None:
                self.pushed[f"{task}!{index}"] = answer
            if code == FAILED_FOR_GOOD:
                return False
        return False

    def _process(self, task: str, index: int, attempt: int, given: dict[str, Any]) -> tuple[int, Any, Any]:
        name = f"{self.run}-{self.processes}"
        result = self.logs / f"{name}.result"
        order = TaskOrder(
            dag=self.dag,
            run=self.run,
            task=task,
            map_index=index,
            attempt=attempt,
            environment=self.environment,
            result=str(result),
            log=str(self.logs / f"{name}.log"),
            inputs=given,
            xcoms={key: value for key, value in self.pushed.items() if "." in key},
            deed=self.deeds.get(self.processes),
            without=self.without,
        )
        self.processes += 1
        process = self.workers.Process(target=work, args=(order,))
        process.start()
        self._wait(process, order.deed)
        code = process.exitcode or 0
        process.close()
        if result.exists():
            answer, pushed = pickle.loads(result.read_bytes())
            result.unlink()
            return code, answer, pushed
        return code if code else -1, None, {}

    def _wait(self, process: Any, deed: Deed | None) -> None:
        ends = time.monotonic() + LONGEST_SECONDS
        while process.is_alive():
            if deed is not None and deed.grief == "stop" and _is_stopped(process.pid):
                # It is thought dead: its lease ends, others go on; then it wakes up.
                time.sleep(LEASE_SECONDS + 0.5)
                self.on_stop()
                os.kill(process.pid, signal.SIGCONT)
                deed = None
            if time.monotonic() > ends:
                process.kill()
                process.join()
                raise HungError(f"{self.run}: a task did not end within {LONGEST_SECONDS:g} s")
            process.join(0.02)


def _is_stopped(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False
