"""A record whose trail was purged, and values that are kept for some days, as the pages show them."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_provider_asperion.ledger import purge
from airflow_provider_asperion.monitoring import data
from tests.support.pages import FILE, client, record_id

pytestmark = pytest.mark.feature("W6")


def test_a_record_whose_trail_was_purged_says_so_and_is_still_known(reader):
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    assert purge.purge(data.ledger(), {"trail": later})["trail"] > 0
    text = reader.get(f"/record/{record_id('4711')}").text
    assert "was purged then" in text
    assert "Seen for the first time" not in text
    assert "In Asperion" in text
    assert "was purged then" not in reader.get(f"/record/{record_id('unknown')}").text


def test_values_that_are_kept_are_shown_to_those_who_may(place, inbox):
    place.retention["payload_days"] = 3
    (inbox / "more.csv").write_text(FILE.replace("4711", "4719"))
    assert place.run() == {"created": 1, "refused": 2}
    text = client(2).get(f"/record/{record_id('4719')}/values").text
    assert "As they were then" in text
    assert "Came from SAP" in text
    assert "Sent to Asperion" in text
    assert "piet.puk@example.org" in text
    assert client(1).get(f"/record/{record_id('4719')}/values").status_code == 403
    assert "piet.puk" not in client(1).get(f"/record/{record_id('4719')}").text
