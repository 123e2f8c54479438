"""One run of the bench: set the stage, let it break, let it recover, judge."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.chaos import checker, troubles
from tests.chaos.runs import DagRun, HungError
from tests.chaos.scenario import scenario_of
from tests.chaos.troubles import TROUBLES, Episode

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerContext

    from tests.chaos.scenario import Flow, Scenario
    from tests.chaos.stage import Stage

# Without trouble the second run has nothing left to do; a lease that must end first takes some more.
RECOVERIES = 6


@dataclass
class Verdict:
    """What came of a run of the bench.

    :param fired: how often each trouble did.
    :param recovered_in: runs without trouble until all was well.
    """

    seed: int
    flow: Flow
    troubles: list[str]
    fired: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    recovered_in: int = 0
    seconds: float = 0.0


class Bench:
    """Makes runs on one stage."""

    def __init__(self, stage: Stage, workers: ForkServerContext, *, without: str | None = None) -> None:
        self._stage = stage
        self._workers = workers
        self._without = without

    def run(self, seed: int, *, only: list[str] | None = None, flow: Flow | None = None) -> Verdict:
        """Make the run of a seed; the same seed draws the same scenario and troubles.

        :param only: these troubles, instead of one to three drawn ones.
        """
        began = time.monotonic()
        scenario = scenario_of(seed, flow)
        chosen = only or self._drawn(scenario)
        verdict = Verdict(seed, scenario.flow, chosen)
        self._stage.reset(with_ledger=scenario.chance.random() < 0.9)
        for file in scenario.files:
            self._stage.drop(file.name, file.content)
        try:
            counts, wrong = self._episodes(scenario, chosen)
            verdict.fired = {name: count() for name, count in counts.items()}
            self._recover(scenario, verdict)
            verdict.violations += wrong
        except HungError as error:
            verdict.violations.append(f"I0 {error}")
        verdict.seconds = time.monotonic() - began
        return verdict

    def _drawn(self, scenario: Scenario) -> list[str]:
        names = troubles.of_flow(scenario.flow)
        return sorted(scenario.chance.sample(names, scenario.chance.choice((1, 1, 2, 3))))

    def _episodes(
        self, scenario: Scenario, chosen: list[str]
    ) -> tuple[dict[str, Callable[[], int]], list[str]]:
        episode = Episode(self._stage, scenario)
        counts = {name: TROUBLES[name].arrange(episode) for name in chosen}
        environment = self._stage.environment(**episode.connection)
        runs = [self._dag_run(scenario, f"r{n}", environment) for n in range(scenario.at_once)]
        runs[0].deeds = episode.deeds
        runs[0].on_stop = lambda: self._go([self._dag_run(scenario, "other", self._stage.environment())])
        self._beside(episode, lambda: self._go(runs))
        wrong = [told for one in episode.afterwards if (told := one()) is not None]
        self._change(scenario)
        for file in scenario.later:
            self._stage.drop(file.name, file.content)
        if scenario.again != "next":
            if scenario.again == "all":
                runs[0].clear()
            runs[0].deeds = {}
            runs[0].environment = self._stage.environment()
            self._go(runs[:1])
        return counts, wrong

    def _recover(self, scenario: Scenario, verdict: Verdict) -> None:
        """Run without trouble until all is well, and once more: with nothing new, nothing is written."""
        self._stage.calm()
        self._stage.let_time_pass()
        for number in range(1, RECOVERIES + 1):
            self._go([self._dag_run(scenario, f"calm{number}", self._stage.environment())])
            verdict.violations = checker.violations(scenario, self._stage)
            verdict.recovered_in = number
            if not verdict.violations:
                break
        else:
            return
        before = checker.writes(self._stage)
        self._go([self._dag_run(scenario, "idle", self._stage.environment())])
        added = checker.writes(self._stage) - before
        if added:
            verdict.violations.append(f"I8 a run with nothing new made {added} writes")

    def _change(self, scenario: Scenario) -> None:
        """Let somebody change articles in Asperion; stock only ever rises, so that an older one shows."""
        for sku in scenario.changes:
            now = checker.articles_of(self._stage)[sku]
            if scenario.flow == "products":
                self._stage.box.change("articles", sku, price=now[0] + Decimal("1.25"))
            else:
                self._stage.box.change("articles", sku, currentStock=now[1] + 100)

    def _dag_run(self, scenario: Scenario, run: str, environment: dict[str, str]) -> DagRun:
        return DagRun(
            dag=scenario.flow,
            run=run,
            environment=environment,
            logs=self._stage.logs,
            workers=self._workers,
            tries=scenario.tries,
            without=self._without,
        )

    def _go(self, runs: list[DagRun]) -> None:
        """Run them at the same time."""
        hung: list[HungError] = []

        def go(run: DagRun) -> None:
            try:
                run.go()
            except HungError as error:
                hung.append(error)

        threads = [threading.Thread(target=go, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if hung:
            raise hung[0]

    def _beside(self, episode: Episode, act: Callable[[], Any]) -> None:
        over = threading.Event()
        threads = [threading.Thread(target=one, args=(over,)) for one in episode.while_running]
        for thread in threads:
            thread.start()
        try:
            act()
        finally:
            over.set()
            for thread in threads:
                thread.join()
