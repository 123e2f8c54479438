"""What the package says of itself is true: versions, dependencies, locks, and what it tells Airflow."""

from __future__ import annotations

import ast
import configparser
import importlib
import json
import re
import sys
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import airflow
import jsonschema
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import airflow_provider_asperion
from airflow_provider_asperion.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = "airflow_provider_asperion"
LOCKS = ("lock.txt", "compat.txt", "docs.txt", "bootstrap.txt")
SUPPORTED_PYTHON = ("3.11", "3.12", "3.13")
# Imports that belong to a dependency by another name: packages made and released as one.
PART_OF = {"pydantic-core": "pydantic", "apache-airflow-core": "apache-airflow"}
PART_OF["apache-airflow-task-sdk"] = "apache-airflow"


def metadata() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg")
    return parser


def requirements(text: str) -> list[Requirement]:
    lines = [line.strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def extras() -> dict[str, list[Requirement]]:
    section = metadata()["options.extras_require"]
    return {name: requirements(text) for name, text in section.items()}


def always() -> list[Requirement]:
    return requirements(metadata()["options"]["install_requires"])


def names(needed: list[Requirement]) -> set[str]:
    return {canonicalize_name(one.name) for one in needed}


def locked(name: str) -> dict[str, Version]:
    text = (REPOSITORY / "requirements" / name).read_text()
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==(\S+)", text, flags=re.MULTILINE)
    return {canonicalize_name(package): Version(version) for package, version in found}


# ---------------------------------------------------------------------------------------------- versions


def test_versions_are_equal() -> None:
    released = re.findall(r"^## \[(\d\S*)\] - \d{4}-\d\d-\d\d$", changelog(), flags=re.MULTILINE)
    assert metadata()["metadata"]["version"] == airflow_provider_asperion.__version__ == released[0]
    assert [Version(one) for one in released] == sorted(map(Version, released), reverse=True)


def test_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^## (.*)$", changelog(), flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    kinds = set(re.findall(r"^### (.*)$", changelog(), flags=re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Breaking"}


def changelog() -> str:
    return (REPOSITORY / "CHANGELOG.md").read_text()


def test_supported_python_is_said_once() -> None:
    classifiers = metadata()["metadata"]["classifiers"]
    said = re.findall(r"Python :: (3\.\d+)", classifiers)
    assert tuple(said) == SUPPORTED_PYTHON
    assert metadata()["options"]["python_requires"] == f">={SUPPORTED_PYTHON[0]}"
    assert sys.version_info[:2] in {tuple(map(int, one.split("."))) for one in SUPPORTED_PYTHON}


def test_license_is_whole() -> None:
    text = (REPOSITORY / "LICENSE").read_text()
    assert metadata()["metadata"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "9. Accepting Warranty or Additional Liability" in text


# ------------------------------------------------------------------------------------------ dependencies


def test_extras() -> None:
    assert set(extras()) == {"openlineage", "postgres", "sandbox", "test"}


def test_each_dependency_is_explained() -> None:
    page = (REPOSITORY / "docs" / "dependencies.md").read_text()
    sections = re.split(r"^## ", page, flags=re.MULTILINE)
    for title, needed in {
        "Always": always(),
        **{f"Extra `[{name}]`": needed for name, needed in extras().items()},
    }.items():
        (section,) = [one for one in sections if one.startswith(title)]
        explained = re.findall(r"^\| `(\S+)` \|.*\S.*\|$", section, flags=re.MULTILINE)
        assert sorted(explained) == sorted(one.name for one in needed), title


def imported_distributions() -> Iterator[tuple[Path, int, set[str]]]:
    """Yield file, line, and the distributions that may provide each import that is not ours."""
    known = packages_distributions()
    for path in sorted((REPOSITORY / PACKAGE).rglob("*.py")):
        for node in _running(ast.parse(path.read_text())):
            modules = []
            if isinstance(node, ast.Import):
                modules = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for module in modules:
                top = module.split(".")[0]
                if top in sys.stdlib_module_names or top == PACKAGE:
                    continue
                yield path.relative_to(REPOSITORY), node.lineno, _providers(module, known[top])


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is executed; an import for the type checker only needs nothing at run time."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _running(child)


def _providers(module: str, distributions: list[str]) -> set[str]:
    found = {canonicalize_name(one) for one in distributions}
    if module.startswith("airflow.providers."):
        rest = module.split(".")[2:]
        found = {f"apache-airflow-providers-{'-'.join(rest[: size + 1])}" for size in range(2)}
    return {PART_OF.get(one, one) for one in found}


def test_each_import_is_declared() -> None:
    """Nothing is used that is only there because something else happens to need it."""
    core = names(always())
    # Parts of the package that work with an extra only.
    parts = {"sandbox": "sandbox", "lineage.py": "openlineage"}
    undeclared = [
        f"{path}:{line}: {' or '.join(sorted(providers))}"
        for path, line, providers in imported_distributions()
        if not providers & core.union(*(names(extras()[parts[one]]) for one in path.parts if one in parts))
    ]
    assert not undeclared, "\n".join(undeclared)


# ------------------------------------------------------------------------------------------------- locks


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_place(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text()
    assert "//" not in text
    assert not re.search(r"^\s*(-i|-f|--index|--extra-index|--find-links|--trusted)", text, re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_is_exact_and_hashed(name: str) -> None:
    text = (REPOSITORY / "requirements" / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) >= 1
    for line in lines:
        assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==\S+ ", line), line[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), line[:80]


@pytest.mark.parametrize("name", ["lock.txt", "compat.txt"])
def test_lock_holds_what_is_declared(name: str) -> None:
    versions = locked(name)
    for one in [*always(), *(one for needed in extras().values() for one in needed)]:
        version = versions.get(canonicalize_name(one.name))
        assert version is not None, f"{one.name} is not locked: run `make lock`"
        assert version in one.specifier, f"{one.name} {version} is locked, {one.specifier} is declared"


def test_compat_lock_is_the_oldest_airflow() -> None:
    (airflow_range,) = [one.specifier for one in always() if one.name == "apache-airflow"]
    oldest = next(Version(one.version) for one in airflow_range if one.operator == ">=")
    assert locked("compat.txt")["apache-airflow"].release[:2] == oldest.release[:2]
    assert locked("lock.txt")["apache-airflow"] > locked("compat.txt")["apache-airflow"]


def test_build_needs_nothing_that_is_not_locked() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text()
    (needed,) = re.findall(r"^requires = (\[.*\])$", text, flags=re.MULTILINE)
    for one in map(Requirement, json.loads(needed)):
        assert locked("lock.txt")[canonicalize_name(one.name)] in one.specifier


# ----------------------------------------------------------------------------------- what Airflow is told


def airflow_schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((Path(airflow.__file__).parent / name).read_text())
    return schema


def test_provider_info_fits_the_schema() -> None:
    jsonschema.validate(get_provider_info(), airflow_schema("provider_info.schema.json"))


def test_provider_info_can_be_refused() -> None:
    """The schema that Airflow ships does look."""
    info = get_provider_info()
    del info["name"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(info, airflow_schema("provider_info.schema.json"))


def test_connection_forms_fit_the_strict_schema() -> None:
    """What the schema for provider info tolerates unseen is described in the one for provider.yaml."""
    strict = airflow_schema("provider.yaml.schema.json")
    schema = {**strict["properties"]["connection-types"], "definitions": strict.get("definitions", {})}
    jsonschema.validate(get_provider_info()["connection-types"], schema)
    for form in get_provider_info()["connection-types"]:
        for field in form["conn-fields"].values():
            jsonschema.Draft202012Validator.check_schema(field["schema"])


def test_entry_point_is_installed() -> None:
    (found,) = [
        one for one in entry_points(group="apache_airflow_provider") if one.value.startswith(PACKAGE + ".")
    ]
    assert found.load() is get_provider_info
    assert f"provider_info = {found.value}" in metadata()["options.entry_points"]["apache_airflow_provider"]


def dotted_paths(info: Any) -> Iterator[str]:
    """Yield every path into our package, wherever in the provider info it stands."""
    if isinstance(info, dict):
        for value in info.values():
            yield from dotted_paths(value)
    elif isinstance(info, list):
        for value in info:
            yield from dotted_paths(value)
    elif isinstance(info, str) and info.startswith(f"{PACKAGE}."):
        yield info


@pytest.mark.parametrize("path", sorted(set(dotted_paths(get_provider_info()))))
def test_each_path_of_provider_info_exists(path: str) -> None:
    try:
        importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path and not path.startswith(f"{error.name}."):
            raise
        module, _, attribute = path.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), f"{module} has no {attribute}"


def test_each_face_module_is_told() -> None:
    """A hook or operator module with something for users in it is known to Airflow."""
    told = {path for path in dotted_paths(get_provider_info())}
    for kind, ending in (("hooks", "Hook"), ("operators", "Operator")):
        for path in sorted((REPOSITORY / PACKAGE / kind).glob("[a-z]*.py")):
            classes = re.findall(rf"^class ([A-Z]\w*{ending})\(", path.read_text(), flags=re.MULTILINE)
            if classes:
                assert f"{PACKAGE}.{kind}.{path.stem}" in told, f"{path.name}: {', '.join(classes)}"


# ------------------------------------------------------------------------------------- what the wheel has


def test_package_data_covers_every_file() -> None:
    """A file that is no Python goes into the wheel, else an installed provider lacks it."""
    patterns = metadata()["options.package_data"][PACKAGE].split()
    assert "py.typed" in patterns
    package = REPOSITORY / PACKAGE
    covered = {path for pattern in patterns for path in package.glob(pattern)}
    assert package / "py.typed" in covered
    data = [
        path
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    ]
    missing = sorted(str(path.relative_to(REPOSITORY)) for path in set(data) - covered)
    assert not missing, f"no pattern of options.package_data fits: {', '.join(missing)}"


def test_each_package_has_its_init() -> None:
    """`find:` looks for packages by their ``__init__.py``: one without would be left out of the wheel."""
    package = REPOSITORY / PACKAGE
    folders = {path.parent for path in package.rglob("*.py") if "__pycache__" not in path.parts}
    # The link to the DAGs holds files for people, not modules.
    folders = {folder for folder in folders if "ready_dags" not in folder.parts}
    without = sorted(
        str(folder.relative_to(REPOSITORY)) for folder in folders if not (folder / "__init__.py").exists()
    )
    assert not without


def test_ready_dags_are_the_dags() -> None:
    ready = REPOSITORY / PACKAGE / "ready_dags"
    assert {path.name for path in ready.glob("*.py")} == {
        path.name for path in (REPOSITORY / "dags").glob("*.py")
    }
    assert "ready_dags/*.py" in metadata()["options.package_data"][PACKAGE].split()
