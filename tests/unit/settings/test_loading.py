"""The settings file: an error names the line, the setting and what it should be."""

from __future__ import annotations

import pytest

from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.settings import Settings, load_settings, parse_settings

FILE = """\
version: 1
integrations:
  default:
    flows:
      orders_to_asperion:
        folder: {inbox: orders}
        articles:
          missing: reject
  second:
    asperion: {connection: other, administration: 2}
"""


def problem(text):
    with pytest.raises(ProblemError) as caught:
        parse_settings(text)
    return caught.value


@pytest.mark.feature("W1")
def test_several_integrations():
    settings = parse_settings(FILE)
    assert settings.integrations["second"].asperion.administration == 2
    assert settings.integrations["default"].flows.orders_to_asperion.folder.inbox == "orders"
    assert parse_settings("") == Settings()


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    for content, words in ((None, "No such file"), (b"version: 1 # \xe9\n", "not in UTF-8")):
        path = tmp_path / "asperion.yaml"
        if content:
            path.write_bytes(content)
        with pytest.raises(ProblemError, match=words):
            load_settings(path)


def test_yaml_runs_nothing(tmp_path):
    made = tmp_path / "made"
    error = problem(f"version: !!python/object/apply:os.mkdir ['{made}']\n")
    assert "YAML" in str(error)
    assert not made.exists()


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("folder:", "foldr:"), 6, "did you mean 'folder'"),
        (("missing: reject", "missing: maybe"), 8, "reject"),
        (("missing: reject", "missing: fallback"), 7, "fallback"),
        (("administration: 2", "administration: two"), 10, "integer"),
        (("version: 1", "version: 7"), 1, "1"),
        (("  second:", "  Second!:"), 9, "match"),
        (("integrations:", "integrations: ["), 4, "YAML"),
        (("    asperion:", "    sap: {}\n    sap: {}\n    asperion:"), 11, "twice"),
    ],
)
def test_an_error_names_the_line(change, line, words):
    error = problem(FILE.replace(*change))
    assert words in str(error)
    assert line in {one.line for one in error.problems}
    assert all(one.remedy for one in error.problems)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ProblemError, match="asperion init"):
        load_settings(tmp_path / "asperion.yaml")
