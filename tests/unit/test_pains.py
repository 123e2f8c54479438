"""What hurts users of systems like this one most: each of the ten has a test that shows it cannot happen.

The list and its order come from the trackers of sixteen such systems: money first, then silence, then effort.
"""

from __future__ import annotations

import re

import pytest

PAINS = {
    1: "a document twice after an answer that never came",
    2: "a file that is read while it is still being written",
    3: "transfers that never end, or die when they are large",
    4: "an upload told as failed although it landed",
    5: "one bad record that sinks all others",
    6: "a retry that is not where people are, or knows only the old settings",
    7: "'failed', and nothing else",
    8: "VAT and rounding that differ by a cent",
    9: "customers matched wrongly by e-mail, or created anew with each order",
    10: "SSH trust that is off, or that blocks without saying why",
}


@pytest.mark.parametrize("number", PAINS, ids=PAINS.values())
def test_each_pain_has_a_test_that_shows_it_cannot_happen(repository, number):
    marked = [
        name
        for path in (repository / "tests").rglob("test_*.py")
        for name in re.findall(rf"mark\.pain\({number}\)\n(?:async )?def (test_\w+)", path.read_text())
    ]
    assert marked, f"nothing shows that this cannot happen: {PAINS[number]}"


def test_there_are_no_other_pains(repository):
    found = {
        int(number)
        for path in (repository / "tests").rglob("test_*.py")
        for number in re.findall(r"mark\.pain\((\d+)\)", path.read_text())
    }
    assert found == PAINS.keys()
