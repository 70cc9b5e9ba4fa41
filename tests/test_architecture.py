"""The layout that DESIGN draws: imports run one way, each library has its door, nothing is a drawer."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, requires
from itertools import combinations
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("features", "training", "serving")  # each may import itself and those before it
DOORS = {
    "alembic": ("serving/store/",),
    "argon2": ("serving/store/users.py",),
    "cryptography": ("serving/workbench/sealing.py",),
    "lifetimes": ("training/clv/fitting.py",),
    "mlflow": ("training/versions/",),
    "bentoml": ("serving/api/service.py",),
    "duckdb": ("features/engines/",),
    "optuna": ("training/churn/tuning.py",),
    "pyspark": ("features/engines/",),
    "xlsxwriter": ("serving/lists/excel_book.py",),
}
# Part of a declared library's own interface: BentoML takes Starlette's applications, AnyIO's threads and
# uvicorn's protocols, Jinja escapes
# with MarkupSafe.
COMES_WITH = {
    "anyio": "bentoml",
    "starlette": "bentoml",
    "uvicorn": "bentoml",
    "markupsafe": "jinja2",
    "py4j": "pyspark",
    "pydantic-core": "pydantic",
    "typing-extensions": "pydantic",
}
# The floors of each package, from below: a module may import from its own floor and from those beneath it.
# Each name is a package or a module of that package; `__init__` and `__main__` are on the roof.
FLOORS = {
    "features": (
        (
            "address",
            "closing",
            "customer_groups",
            "documents",
            "errors",
            "invalid",
            "jalali",
            "language",
            "lazy_exports",
            "lock",
            "memory",
            "progress",
            "retelling",
            "settings",
            "snapshot",
            "spreadsheet_cells",
            "suggestion",
            "temporary",
        ),
        ("arrow_tables", "files"),
        ("table_files",),
        ("log",),
        ("engines",),
        ("table",),
        ("economics",),
        ("behaviour",),
        ("commands",),
        ("datasets",),
    ),
    "training": (
        ("threads", "tracking_uri"),
        ("offers",),
        ("campaign",),
        ("experiments",),
        ("clv",),
        ("metrics",),
        ("snapshots",),
        ("churn",),
        ("reference",),
        ("settings", "behaviour_settings", "cost_settings"),
        ("window",),
        ("model",),
        ("versions",),
        ("judging",),
        ("monitoring",),
        ("training_data",),
        ("assembly",),
        ("run",),
        ("report",),
        ("registration",),
        ("pipeline",),
        ("estimator",),
        ("backtest",),
        ("commands",),
    ),
    "serving": (
        ("settings",),
        ("remarks",),
        ("scored_part",),
        ("scored_list",),
        ("version_costs",),
        ("scorer",),
        ("spark_list",),
        ("lists",),
        ("report",),
        ("store",),
        ("campaign",),
        ("delivery",),
        ("alerts", "audience"),
        ("erasure",),
        ("champion",),
        ("explanation",),
        ("client",),
        ("api",),
        ("status",),
        ("workbench",),
        ("commands",),
        ("cli",),
    ),
}
DRAWERS = {"common", "core", "helpers", "lib", "misc", "shared", "util", "utils"}
SOURCES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = {
    name: [
        " ".join(line.split())
        for line in (ROOT / name).read_text().replace("\\\n", "").splitlines()
        if line and not line.startswith("#")
    ]
    for name in (
        *("requirements.lock", "requirements-dev.lock", "requirements-spark.lock"),
        "serving/deploy/requirements-build.lock",
    )
}


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return the nodes of a file that can import something."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom | ast.Call))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of every module imported anywhere in a file, also inside functions and by name."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
            yield from (
                (node.lineno, str(arg.value)) for arg in node.args[:1] if isinstance(arg, ast.Constant)
            )


def _name(function: ast.expr) -> str:
    return str(getattr(function, "attr", getattr(function, "id", "")))


def module_of(path: Path) -> str:
    """Return a file's dotted module name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


OWN = {module_of(source) for source in SOURCES}


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the project's own modules that a file imports, `from package import module` taken apart."""
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module in OWN:
            yield from (
                f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in OWN else node.module
                for a in node.names
            )
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in OWN)


def test_imports_run_one_way_from_serving_to_training_to_features() -> None:
    against = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in SOURCES
        for line, name in imports(path)
        if (target := name.split(".")[0]) in LAYERS
        and LAYERS.index(target) > LAYERS.index(path.relative_to(ROOT).parts[0])
    ]

    assert against == []


def floor_of(layer: str, module: str) -> int:
    """Return the floor of a dotted module of a package; above all others where it is no room of its own."""
    rooms = module.split(".")[1:2]
    floors = [number for number, names in enumerate(FLOORS[layer]) if rooms and rooms[0] in names]
    return floors[0] if floors else len(FLOORS[layer])


@pytest.mark.parametrize("layer", LAYERS)
def test_no_import_climbs_to_a_higher_floor_of_its_package(layer: str) -> None:
    climbing = [
        f"{where}:{line} imports {name}"
        for path in SOURCES
        if (where := path.relative_to(ROOT)).parts[0] == layer
        for line, name in imports(path)
        if name.split(".")[0] == layer
        and floor_of(layer, name) > floor_of(layer, ".".join(where.with_suffix("").parts))
    ]

    assert climbing == []


@pytest.mark.parametrize("layer", LAYERS)
def test_every_module_of_a_package_has_a_floor(layer: str) -> None:
    rooms = {
        path.relative_to(ROOT / layer).parts[0].removesuffix(".py")
        for path in SOURCES
        if path.is_relative_to(ROOT / layer)
    }

    assert rooms - {"__init__", "__main__"} == {name for names in FLOORS[layer] for name in names}


def test_no_two_files_import_each_other() -> None:
    graph = {module_of(path): set(imported_modules(path)) for path in SOURCES}
    circles = [
        sorted(pair)
        for pair in combinations(graph, 2)
        if pair[1] in graph[pair[0]] and pair[0] in graph[pair[1]]
    ]

    assert circles == []


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
    declared: set[str] = {canonicalize_name(Requirement(line).name) for line in ranges}
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
    [
        *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs", "Makefile", "pyproject.toml"),
        *("requirements.lock", "requirements-dev.lock", ".pre-commit-config.yaml", ".ci/run"),
    ],
)
def test_what_a_newcomer_looks_for_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in target
        and not target.startswith("mailto:")
        and not (document.parent / target).exists()
    ]

    assert broken == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_exact_versions_with_the_hashes_of_their_files_and_no_address(name: str) -> None:
    pinned = r"[a-z0-9-]+==[A-Za-z0-9.!+]+( ; [a-z_]+ [^:/]+?)?( --hash=sha256:[0-9a-f]{64})+"

    assert [line for line in LOCKS[name] if not re.fullmatch(pinned, line)] == []


def locked(name: str) -> dict[str, str]:
    """Return the versions of a lock by the distributions' canonical names, those for this machine."""
    pins = [Requirement(line.partition(" --hash=")[0]) for line in LOCKS[name]]
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if not pin.marker or pin.marker.evaluate()
    }


@pytest.mark.parametrize(
    ("name", "ranges"),
    [
        ("requirements.lock", PYPROJECT["project"]["dependencies"]),
        ("requirements-dev.lock", PYPROJECT["project"]["optional-dependencies"]["dev"]),
        ("requirements-spark.lock", PYPROJECT["project"]["optional-dependencies"]["spark"]),
    ],
)
def test_a_lock_agrees_with_the_ranges(name: str, ranges: list[str]) -> None:
    versions = locked(name)

    outside = [
        f"{wanted} is locked at {versions.get(canonicalize_name(wanted.name))}"
        for wanted in map(Requirement, ranges)
        if not wanted.specifier.contains(
            versions.get(canonicalize_name(wanted.name), "0.dev0"), prereleases=True
        )
    ]

    assert outside == []


def test_the_runtime_lock_has_all_that_the_dependencies_ask_for_and_nothing_of_the_tests() -> None:
    needed, waiting = set(), [Requirement(line) for line in PYPROJECT["project"]["dependencies"]]
    while waiting:
        wanted = waiting.pop()
        extras = {"", *wanted.extras}
        if (key := (canonicalize_name(wanted.name), frozenset(extras))) in needed:
            continue
        needed.add(key)
        waiting += [
            further
            for further in map(Requirement, requires(wanted.name) or [])
            if not further.marker or any(further.marker.evaluate({"extra": extra}) for extra in extras)
        ]

    assert {name for name, _ in needed} <= set(locked("requirements.lock"))
    assert set(locked("requirements.lock")) & set(locked("requirements-dev.lock")) == set()
