"""An import goes down the picture in docs/architecture.md, or sideways to nothing."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = "airflow_provider_asperion"

_BETWEEN = {"asperion", "sap", "mapping", "ledger", "staging"}
_RULES = _BETWEEN | {"records", "settings", "flows"}

# Part: the other parts it may import. Each may import itself.
MAY_IMPORT: dict[str, set[str]] = {
    "records": set(),
    "asperion": {"records"},
    "sap": {"records"},
    "mapping": {"records"},
    "ledger": {"records"},
    "staging": {"records"},
    "settings": _BETWEEN | {"records"},
    "flows": _BETWEEN | {"records", "settings"},
    # The face.
    "hooks": _RULES,
    "triggers": _RULES | {"hooks"},
    "links": _RULES | {"hooks"},
    "notifications": _RULES | {"hooks"},
    "operators": _RULES | {"hooks", "triggers", "links", "notifications"},
    "sensors": _RULES | {"hooks", "triggers", "links"},
    "monitoring": _RULES | {"hooks", "operators"},
    "cli": _RULES | {"hooks", "operators", "notifications", "sandbox"},
    # What the client is tested against shares no code with the client.
    "sandbox": {"records", "sap"},
    "sandbox.demo": _RULES | {"sandbox"},
    # The files that hold no rules of their own.
    "__init__": set(),
    "__main__": {"cli"},
    "get_provider_info": {"hooks"},
    "dags": {"operators", "sensors", "triggers", "notifications", "links"},
    "plugins": {"monitoring"},
}
MAY_IMPORT_AIRFLOW = {
    *("hooks", "operators", "sensors", "triggers", "notifications", "links", "monitoring", "cli"),
    *("get_provider_info", "sandbox.demo", "dags", "plugins"),
}


@dataclass(frozen=True)
class Violation:
    """An import that goes up, or sideways."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def source_files(root: Path) -> list[Path]:
    """Return the files the rules are about, relative to the root of the repository."""
    found = [path for part in (PACKAGE, "dags", "plugins") for path in (root / part).rglob("*.py")]
    # A symbolic link to dags/ lets the DAGs travel in the wheel: they are seen once, in dags/.
    return sorted({path.resolve().relative_to(root.resolve()) for path in found})


def part_of(path: Path) -> str:
    """Return the part that a file belongs to."""
    if path.parts[0] != PACKAGE:
        return path.parts[0]
    if path.parts[1] == "sandbox" and path.name.startswith("demo"):
        return "sandbox.demo"
    return path.parts[1].removesuffix(".py")


def violations(root: Path, path: Path) -> list[Violation]:
    """Return every import of a file that the rules forbid, wherever in the file it stands."""
    part = part_of(path)
    if part not in MAY_IMPORT:
        return [Violation(path, 1, f"{part} has no rule in MAY_IMPORT: say what it may import")]
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    faults = []
    for line, module in _imports(tree, path):
        parts = module.split(".")
        if parts[0] == "airflow" and part not in MAY_IMPORT_AIRFLOW:
            faults.append(Violation(path, line, f"{part} may not import Airflow ({module})"))
        elif parts[0] == PACKAGE and len(parts) > 1 and not _allowed(part, parts):
            faults.append(Violation(path, line, f"{part} may not import {parts[1]} ({module})"))
    return faults


def _allowed(part: str, target: list[str]) -> bool:
    own = part.split(".")[0]
    if target[1] == own:
        # The sandbox itself knows nothing of the demo that drives it.
        return part != "sandbox" or not "".join(target[2:3]).startswith("demo")
    return target[1] in MAY_IMPORT[part] or target[1] == "__version__"


def _imports(tree: ast.AST, path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of each imported module; types, late and dynamic imports count too."""
    package = path.with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from package import part` names the part only after the import.
            yield from ((node.lineno, f"{module}.{name.name}") for name in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (
                (node.lineno, given.value)
                for given in node.args[:1]
                if isinstance(given, ast.Constant) and isinstance(given.value, str)
            )


@pytest.mark.parametrize("path", source_files(REPOSITORY), ids=str)
def test_imports_go_down(path: Path) -> None:
    found = violations(REPOSITORY, path)
    assert not found, "\n".join(map(str, found))


def test_every_file_is_looked_at() -> None:
    assert len(source_files(REPOSITORY)) > 100
    assert Path("dags/sap_orders_to_asperion.py") in source_files(REPOSITORY)


def test_rules_have_no_circle() -> None:
    """Parts that import each other are one part with two names."""
    left = {part: others - {part} for part, others in MAY_IMPORT.items()}
    while free := [part for part, others in left.items() if not others & left.keys()]:
        for part in free:
            del left[part]
    assert not left


WRONG = [
    ("records/order.py", "from airflow_provider_asperion.sap import reading", "records may not import sap"),
    ("sap/a.py", "from airflow_provider_asperion.asperion.names import Names", "sap may not import asperion"),
    ("asperion/a.py", "import airflow_provider_asperion.sap.reading", "asperion may not import sap"),
    ("asperion/a.py", "from airflow_provider_asperion import sap", "asperion may not import sap"),
    ("asperion/a.py", "from ..sap import reading", "asperion may not import sap"),
    ("ledger/deep/a.py", "from ... import flows", "ledger may not import flows"),
    ("settings/a.py", "import airflow_provider_asperion.flows", "settings may not import flows"),
    ("hooks/a.py", "from airflow_provider_asperion.operators import base", "hooks may not import operators"),
    (
        "sandbox/a.py",
        "from airflow_provider_asperion.asperion import wire",
        "sandbox may not import asperion",
    ),
    ("sandbox/a.py", "from airflow_provider_asperion.sandbox import demo", "sandbox may not import sandbox"),
    ("flows/a.py", "import airflow", "flows may not import Airflow"),
    ("flows/a.py", "def f():\n    from airflow.sdk import Context", "flows may not import Airflow"),
    ("flows/a.py", "if TYPE_CHECKING:\n    from airflow.sdk import DAG", "flows may not import Airflow"),
    ("flows/a.py", "importlib.import_module('airflow.sdk')", "flows may not import Airflow"),
    ("sandbox/a.py", "from airflow import sdk", "sandbox may not import Airflow"),
    ("novelty/a.py", "import json", "novelty has no rule"),
]


@pytest.mark.parametrize(("name", "code", "complaint"), WRONG)
def test_violation_is_found(tmp_path: Path, name: str, code: str, complaint: str) -> None:
    path = Path(PACKAGE) / name
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(f'"""A module."""\n{code}\n')
    assert source_files(tmp_path) == [path]
    (found,) = violations(tmp_path, path)
    assert complaint in str(found)
    line = 1 if "no rule" in complaint else 2 + code.count("\n")
    assert str(found).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("flows/a.py", "from airflow_provider_asperion.sap import reading"),
        ("flows/a.py", "import airflow_provider_asperion"),
        ("flows/deep/a.py", "from .. import other"),
        ("flows/a.py", "import airflow_of_another_maker"),
        ("sandbox/demo_x.py", "from airflow_provider_asperion.sandbox import demo\nimport airflow"),
        ("cli/a.py", "from airflow_provider_asperion import __version__"),
        ("hooks/a.py", "from airflow.sdk import BaseHook"),
    ],
)
def test_what_is_allowed_is_not_found(tmp_path: Path, name: str, code: str) -> None:
    path = Path(PACKAGE) / name
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(code)
    assert violations(tmp_path, path) == []
