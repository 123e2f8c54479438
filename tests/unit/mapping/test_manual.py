"""The examples of docs/mapping.md are run."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from airflow_provider_asperion.mapping import Mapping
from airflow_provider_asperion.mapping.functions import SCOPED, functions_of
from airflow_provider_asperion.records import ProblemError

pytestmark = [pytest.mark.feature("W2"), pytest.mark.feature("W7")]
MANUAL = (Path(__file__).parents[3] / "docs" / "mapping.md").read_text(encoding="utf-8")
FUNCTION_ROW = re.compile(
    r"^\| `(?P<expression>(?:[^`|]|\\\|)+)` \| (?P<gives>`[^`]+`|nothing) \|", re.MULTILINE
)
FUNCTIONS = [
    (found["expression"].replace("\\|", "|"), found["gives"].strip("`"))
    for found in FUNCTION_ROW.finditer(MANUAL.partition("## Functions")[2].partition("\n## ")[0])
]


def block(kind):
    return re.search(rf"```yaml {kind}\n(.*?)```", MANUAL, re.DOTALL)[1]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    path = tmp_path_factory.mktemp("mapping") / "own.yaml"
    path.write_text(block("mapping"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def content():
    return yaml.safe_load(block("document"))


def plain(value):
    """Return values as they stand in YAML."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, (Decimal, dt.date)) else value


def test_the_worked_example_gives_what_the_manual_says(own, content, document):
    mapping = Mapping.load(str(own))
    assert plain(mapping.map(document(content)).values) == yaml.safe_load(block("result"))
    assert mapping.check() == []


@pytest.mark.parametrize(("expression", "gives"), FUNCTIONS, ids=[row[0][:40] for row in FUNCTIONS])
def test_a_function_gives_what_the_manual_says(expression, gives, own, content, document):
    values = Mapping.load(str(own), {"remarks": expression}).map(document(content)).values
    assert values.get("remarks", "nothing").lower() == gives.lower()


def test_every_function_is_in_the_manual():
    mentioned = {name for expression, _ in FUNCTIONS for name in re.findall(r"(\w+)\(", expression)}
    assert set(functions_of({}, {})) | SCOPED <= mentioned


def test_the_errors_of_the_manual_look_like_that(tmp_path, document):
    path = tmp_path / "own.yaml"
    rows = "mapping: own\nrows:\n  status: E1EDK01.ACTION\n  currency: E1EDK01.CURCY ) or 1\n"
    path.write_text(rows + "\n" * 4 + "  custmer.email: E1EDK01.BELNR\n")
    with pytest.raises(ProblemError) as error:
        Mapping.load(str(path))
    assert str(error.value) in MANUAL
