"""Progress of long work: every ten seconds by the clock that is handed in, and never a word of short work."""

from __future__ import annotations

import pytest

from airflow_provider_asperion.flows.progress import Progress, counts_in_words, many

pytestmark = pytest.mark.feature("W4")


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def run(records: int, per_second: float, **how):
    clock, said = Clock(), []
    progress = Progress(said.append, "orders", clock=clock, **how)
    for number in range(records):
        clock.seconds = (number + 1) / per_second
        progress.step(refused=number % 100 == 0)
    return said


def test_work_of_less_than_ten_seconds_says_nothing():
    assert run(99, 10, total=99) == []


def test_a_line_every_ten_seconds():
    assert run(400, 10, total=400) == [
        "100 of 400 orders (25%), 10.0/s, 1 refused so far, over in about 30 s",
        "200 of 400 orders (50%), 10.0/s, 2 refused so far, over in about 20 s",
        "300 of 400 orders (75%), 10.0/s, 3 refused so far, over in about 10 s",
        "400 of 400 orders (100%), 10.0/s, 4 refused so far, over in about 0 s",
    ]


def test_without_a_total_the_share_tells_when_it_is_over():
    assert run(101, 10, share=lambda: 0.02) == [
        "100 orders (2%), 10.0/s, 1 refused so far, over in about 8 min",
    ]
    assert run(1, 0.01) == ["1 orders, 0.0/s, 1 refused so far"]
    assert run(1, 0.01, share=lambda: 0.0) == ["1 orders (0%), 0.0/s, 1 refused so far"]
    assert run(100, 10, total=10**6)[0].endswith("over in about 27 h 46 min")


def test_counts_in_words():
    assert [many(1, "order"), many(10_000, "order"), many(2, "batch", "batches")] == [
        "1 order", "10,000 orders", "2 batches"
    ]  # fmt: skip
    assert counts_in_words({"created": 1200, "refused": 0, "left_out": 3}) == "1,200 created, 3 left out"
    assert counts_in_words({}) == "nothing"
