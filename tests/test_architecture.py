"""The layout that DESIGN draws: imports run one way, each library has its door, nothing is a drawer."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("features", "training", "serving")  # each may import itself and those before it
DOORS = {
    "alembic": ("serving/store/",),
    "lifetimes": ("training/clv/model.py",),
    "mlflow": ("training/versions/registry.py", "training/versions/records.py"),
    "bentoml": ("serving/api/service.py",),
    "duckdb": ("features/engines/",),
    "optuna": ("training/churn/tuning.py",),
    "pyspark": ("features/engines/",),
    "xlsxwriter": ("serving/export.py",),
}
# Part of a declared library's own interface: BentoML takes Starlette's middleware and AnyIO's threads, Jinja escapes
# with MarkupSafe.
COMES_WITH = {
    "anyio": "bentoml",
    "starlette": "bentoml",
    "markupsafe": "jinja2",
    "pydantic-core": "pydantic",
    "typing-extensions": "pydantic",
}
DRAWERS = {"common", "core", "helpers", "lib", "misc", "shared", "util", "utils"}
SOURCES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = [
    line
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if line and not line.startswith("#")
]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of every module imported anywhere in a file, also inside functions and by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from ((node.lineno, arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))


def test_imports_run_one_way_from_serving_to_training_to_features() -> None:
    against = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in SOURCES
        for line, name in imports(path)
        if (target := name.split(".")[0]) in LAYERS
        and LAYERS.index(target) > LAYERS.index(path.relative_to(ROOT).parts[0])
    ]

    assert against == []


@pytest.mark.parametrize("library", DOORS)
def test_a_confined_library_is_imported_at_its_door_only(library: str) -> None:
    elsewhere = [
        f"{where}:{line}"
        for path in SOURCES
        for line, name in imports(path)
        if name.split(".")[0] == library
        and not (where := path.relative_to(ROOT).as_posix()).startswith(DOORS[library])
    ]

    assert elsewhere == []


def test_every_library_that_is_imported_is_declared() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    ranges = PYPROJECT["project"]["dependencies"] + [
        line for extra in set(extras) - {"dev"} for line in extras[extra]
    ]
    declared = {canonicalize_name(Requirement(line).name) for line in ranges}
    declared |= {name for name, library in COMES_WITH.items() if library in declared}
    distributions = packages_distributions()

    undeclared = {
        f"{path.relative_to(ROOT)} imports {top}"
        for path in SOURCES
        for _, name in imports(path)
        if (top := name.split(".")[0]) not in sys.stdlib_module_names and top not in LAYERS
        if not {canonicalize_name(found) for found in distributions.get(top, [top])} & declared
    }

    assert undeclared == set()


def test_no_module_is_a_drawer() -> None:
    drawers = [path for path in SOURCES if DRAWERS & {path.stem, *path.relative_to(ROOT).parts[:-1]}]

    assert drawers == []


def test_the_tests_are_no_package_that_would_hide_another() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_the_wheel_holds_the_three_packages() -> None:
    assert PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(LAYERS)


@pytest.mark.parametrize(
    "name",
    ["README.md", "CHANGELOG.md", "LICENSE", "Makefile", "pyproject.toml", "requirements.lock", ".ci/run"],
)
def test_what_a_newcomer_looks_for_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{document.name}: {target}"
        for document in ROOT.glob("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (ROOT / target).exists()
    ]

    assert broken == []


def test_the_lock_holds_exact_versions_and_no_address() -> None:
    assert [line for line in LOCK if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._!+-]+", line)] == []


def test_the_lock_agrees_with_the_ranges() -> None:
    project = PYPROJECT["project"]
    ranges = project["dependencies"] + project["optional-dependencies"]["dev"]
    locked = {canonicalize_name(name): version for name, version in (line.split("==") for line in LOCK)}

    outside = [
        f"{wanted} is locked at {locked.get(canonicalize_name(wanted.name))}"
        for wanted in map(Requirement, ranges)
        if not wanted.specifier.contains(
            locked.get(canonicalize_name(wanted.name), "0.dev0"), prereleases=True
        )
    ]

    assert outside == []
