"""The set-up page: settings with their source, values to pick, flows on and off."""

from __future__ import annotations

import pytest
import yaml

from airflow_provider_asperion.monitoring.routes import set_up
from airflow_provider_asperion.settings import parse_settings
from tests.support.pages import form

pytestmark = pytest.mark.feature("W1", "O10")


def test_each_setting_tells_where_it_comes_from(operator, place):
    place.flow["filter"] = {"channel": ["web"]}
    place.write()
    text = operator.get("/setup").text
    assert _row(text, "filter.channel") == ("web", "file")
    assert _row(text, "delivery.batch_size")[1] == "default"


def _row(text, setting):
    cells = text.partition(f'<td class="key">{setting}</td>')[2].partition("</tr>")[0]
    value = cells.partition('<td class="key">')[2].partition("</td>")[0]
    return value, "file" if ">file</span>" in cells else "default"


def test_values_that_the_administration_does_not_have_are_named(operator, place):
    place.flow["defaults"] = {"payment_condition": "999", "lines.vat_code": "V21"}
    place.write()
    text = operator.get("/setup", params={"check": "default"}).text
    assert "flows.orders_to_asperion.defaults.payment_condition" in text
    assert "there is no payment condition 999; there is" in text
    assert "999 (not in the administration)" in text
    place.flow["defaults"] = {"lines.vat_code": "V21"}
    place.write()
    text = operator.get("/setup", params={"check": "default"}).text
    assert "All 1 values that are ids of the administration exist there" in text
    assert '<option value="V21" selected>' in text


def test_picked_values_make_a_file_that_loads(operator, place):
    place.flow["defaults"] = {"payment_condition": "999", "lines.vat_code": "V21"}
    place.write()
    picked = {
        "customer.company_kind": "B",
        "defaults.payment_condition": "",
        "defaults.lines.vat_code": "V9",
        "defaults.journal": "",
    }
    answer = operator.post("/setup/choose", data=form(2, integration="default", **picked))
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    made = parse_settings(answer.text, name="downloaded").integrations["default"].flows.orders_to_asperion
    assert made.customer.company_kind == "B"
    assert made.defaults == {"lines.vat_code": "V9"}
    before = parse_settings(place.settings.read_text(), name="before").integrations["default"].flows
    assert made.folder == before.orders_to_asperion.folder, "all else stays as it was"
    assert yaml.safe_load(place.settings.read_text()) != yaml.safe_load(answer.text), (
        "and nothing was written"
    )


def test_a_flow_is_paused_and_resumed_by_who_may(operator, reader, monkeypatch):
    asked, states = [], {"sap_orders_to_asperion": False}

    def pause(dag, *, value, user):
        asked.append((dag, value, user))
        return dag in states

    monkeypatch.setattr(set_up, "pause", pause)
    monkeypatch.setattr(set_up, "paused", lambda dags: states)
    assert 'aria-label="Pause Orders, SAP to Asperion"' in operator.get("/setup").text
    assert "Pause" not in reader.get("/setup").text.replace("pauses", "")
    sent = form(2, integration="default", flow="orders_to_asperion", paused="yes")
    assert operator.post("/setup/switch", data=sent).status_code == 303
    assert asked == [("sap_orders_to_asperion", True, "person-2")]
    unknown = form(2, integration="default", flow="stock_to_sap", paused="no")
    assert operator.post("/setup/switch", data=unknown).status_code == 404
    denied = form(1, integration="default", flow="orders_to_asperion", paused="yes")
    assert reader.post("/setup/switch", data=denied).status_code == 403
    assert len(asked) == 2
