"""One task of a DAG in a process of its own, as a worker runs it; at a chosen effect it fails or dies.

Nothing in the package knows of this: effects are wrapped from outside, and waits are shortened.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import pickle
import signal
import sys
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

# How a task came to an end.
DONE, FAILED, FAILED_FOR_GOOD = 0, 1, 2
LEASE_SECONDS = 9.0
Grief = Literal["kill", "fail", "fail_on", "stop"]


@dataclass(frozen=True)
class Deed:
    """What happens to a worker at its n-th effect of a kind.

    :param grief: ``kill``: SIGKILL; ``fail``: this effect fails; ``fail_on``: it and all later ones do;
        ``stop``: SIGSTOP, until somebody lets it go on.
    :param kinds: effects that count: ``ledger``, ``sftp``, ``http``, ``staging``.
    :param at: which of them, from 1.
    :param after: it took place, and the worker does not get to know.
    :param mark: file that says that it happened.
    """

    grief: Grief
    kinds: tuple[str, ...]
    at: int
    after: bool
    mark: str


@dataclass(frozen=True)
class TaskOrder:
    """A task instance.

    :param environment: settings, state folder and connections of this run of the bench.
    :param inputs: what the tasks before returned.
    :param xcoms: what they pushed by name.
    :param without: protection that is switched off.
    """

    dag: str
    run: str
    task: str
    map_index: int
    attempt: int
    environment: dict[str, str]
    result: str
    log: str
    inputs: dict[str, Any] = field(default_factory=dict)
    xcoms: dict[str, Any] = field(default_factory=dict)
    deed: Deed | None = None
    without: str | None = None


def work(order: TaskOrder) -> None:
    """Run the task; its answer goes to a file, its log to another. Ends the process."""
    os.environ.update(order.environment)
    log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, force=True)
    print(f"--- {order.run} {order.task}[{order.map_index}] try {order.attempt}", file=sys.stderr, flush=True)
    code = FAILED
    try:
        _hurry()
        if order.without:
            from tests.chaos.protections import PROTECTIONS

            PROTECTIONS[order.without].switch_off()
        if order.deed:
            _Effects(order.deed).install()
        ti = _TaskInstance(order)
        answer = _execute(order, ti)
        Path(order.result).write_bytes(pickle.dumps((answer, ti.pushed)))
        code = DONE
    except BaseException as error:
        traceback.print_exc()
        code = FAILED_FOR_GOOD if type(error).__name__ == "AirflowFailException" else FAILED
        with contextlib.suppress(NameError):
            Path(order.result).write_bytes(pickle.dumps((ti.pushed.get("return_value"), ti.pushed)))
    finally:
        sys.stderr.flush()
        os._exit(code)


class _TaskInstance:
    """As much of a task instance as the operators use."""

    def __init__(self, order: TaskOrder) -> None:
        self.dag_id, self.task_id = order.dag, order.task
        self.map_index, self.try_number = order.map_index, order.attempt
        self.pushed: dict[str, Any] = {}
        self._xcoms = order.xcoms

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        return self._xcoms.get(f"{task_ids}.{key}")


def _execute(order: TaskOrder, ti: _TaskInstance) -> Any:
    operator = _operator(order)
    context = {
        "ti": ti,
        "run_id": order.run,
        "params": {},
        "task": SimpleNamespace(get_flat_relatives=lambda **_: []),
        "dag_run": SimpleNamespace(run_type="manual", data_interval_start=None, data_interval_end=None),
        "outlet_events": defaultdict(lambda: SimpleNamespace(add=lambda *_, **__: None)),
    }
    return operator.execute(context)


def _operator(order: TaskOrder) -> Any:
    from airflow_provider_asperion.operators import orders, products, stock

    made = {
        ("orders", "list"): orders.ListOrderFilesOperator,
        ("orders", "read"): orders.ReadOrdersOperator,
        ("orders", "deliver"): orders.DeliverOrdersOperator,
        ("orders", "settle"): orders.SettleOrdersOperator,
        ("products", "extract"): products.ExtractProductsOperator,
        ("products", "publish"): products.PublishProductsOperator,
        ("products", "settle"): products.SettleProductsOperator,
        ("stock", "extract"): stock.ExtractStockOperator,
        ("stock", "publish"): stock.PublishStockOperator,
        ("stock", "settle"): stock.SettleStockOperator,
    }[order.dag, order.task]
    return made(task_id=order.task, **order.inputs)


def _hurry() -> None:
    """Shorten what is waited for: the bench has no minutes to spare, the order of things stays as it is."""
    from functools import partial

    from airflow_provider_asperion import asperion
    from airflow_provider_asperion.asperion.client import ClientOptions
    from airflow_provider_asperion.asperion.retry import RetryPolicy
    from airflow_provider_asperion.hooks import runtime

    policy = RetryPolicy(attempts=4, first_wait=0.05, longest_wait=0.3, longest_retry_after=2, deadline=15)
    asperion.ClientOptions = partial(  # type: ignore[misc, assignment]
        ClientOptions, total_timeout=1.5, read_timeout=1.5, connect_timeout=1.5, retry=policy
    )
    runtime.lease_seconds = lambda: LEASE_SECONDS


class _Effects:
    """Counts effects on the outside world, and lets the chosen one go wrong."""

    def __init__(self, deed: Deed) -> None:
        self._deed = deed
        self._count = 0

    def install(self) -> None:
        """Wrap whatever has an effect."""
        import wrapt

        package = "airflow_provider_asperion"
        for kind, module, name in (
            ("sftp", "sap.server", "SftpServer.rename"),
            ("sftp", "sap.server", "SftpServer.upload"),
            ("sftp", "sap.server", "SftpServer._replace"),
            ("sftp", "sap.server", "SftpServer.remove"),
            ("staging", "staging.staging", "Staging.write"),
            ("staging", "staging.staging", "Staging.discard"),
        ):
            wrapt.wrap_function_wrapper(f"{package}.{module}", name, self._around(kind))
        wrapt.wrap_function_wrapper(f"{package}.asperion.client", "exchange", self._write)
        wrapt.wrap_function_wrapper(f"{package}.ledger.ledger", "Ledger.transaction", self._commit)

    def _around(self, kind: str) -> Any:
        def wrapper(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
            self._reach(kind, after=False)
            answer = wrapped(*args, **kwargs)
            if hasattr(answer, "__await__"):
                return self._waited(kind, answer)
            self._reach(kind, after=True)
            return answer

        return wrapper

    async def _waited(self, kind: str, answer: Any) -> Any:
        found = await answer
        self._reach(kind, after=True)
        return found

    def _write(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        return (self._around("http") if kwargs.get("write") else _as_it_is)(wrapped, None, args, kwargs)

    def _commit(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("reading"):
            return wrapped(*args, **kwargs)
        return self._transaction(wrapped(*args, **kwargs))

    @contextlib.contextmanager
    def _transaction(self, transaction: Any) -> Any:
        with transaction as work:
            yield work
            self._reach("ledger", after=False)
        self._reach("ledger", after=True)

    def _reach(self, kind: str, *, after: bool) -> None:
        deed = self._deed
        if kind not in deed.kinds or after != deed.after:
            return
        self._count += 1
        if self._count != deed.at and not (deed.grief == "fail_on" and self._count > deed.at):
            return
        Path(deed.mark).write_text(kind)
        if deed.grief == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif deed.grief == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            raise _fault(kind)


def _as_it_is(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    return wrapped(*args, **kwargs)


def _fault(kind: str) -> Exception:
    """Return the exception that such an effect fails with in real life."""
    if kind == "ledger":
        from sqlalchemy.exc import OperationalError

        return OperationalError("COMMIT", {}, OSError(errno.EIO, "Input/output error"))
    if kind == "http":
        from airflow_provider_asperion.asperion.errors import AnswerLost

        return AnswerLost("the connection broke (injected)", unclear=True)
    if kind == "sftp":
        from airflow_provider_asperion.records import Problem, ProblemError

        return ProblemError(
            Problem(rule="sftp.lost", message="the connection broke", remedy="try again", transient=True)
        )
    return OSError(errno.ENOSPC, "No space left on device")
