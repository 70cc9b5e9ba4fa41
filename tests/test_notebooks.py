"""Every notebook runs from top to bottom, holds no logic, and shows only what it computed.

A notebook is run by the interpreter that runs the tests, whatever kernels are installed, in an empty folder:
it imports the packages as they are installed and may leave nothing behind. What is committed has to be what
such a run shows, but for the digits of numbers, the last of which may differ from machine to machine. After a
change, ``python tests/test_notebooks.py notebooks/one.ipynb`` executes that notebook and keeps what it shows.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
DATA = "STAYWORTH_DATA"
"""In a notebook: it reads a log that a clone does not hold, and is run in the soak stage."""

LARGEST = 600_000  # bytes: a page that a browser opens at once
LONGEST = 900  # seconds for one cell, on a machine that has other things to do

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def needs_data(path: Path) -> bool:
    return DATA in path.read_text(encoding="utf-8")


each_run = pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.soak if needs_data(path) else (), id=path.stem)
        for path in NOTEBOOKS
    ],
)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def all_code(path: Path) -> str:
    return "\n".join(cell.source for cell in code_cells(nbformat.read(path, as_version=4)))


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run the notebook in a folder, with this interpreter and none of the user's own settings."""
    with tempfile.TemporaryDirectory() as home:
        kernel = AsyncKernelManager(
            kernel_name="python3",
            # No folder of kernels is searched: what is left is the kernel of the interpreter that runs this.
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True),
            transport="ipc",  # files in place of ports
            ip=f"{home}/kernel",
        )
        client = NotebookClient(
            notebook,
            km=kernel,
            timeout=LONGEST,
            startup_timeout=LONGEST,
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
        )
        settings = {name: home for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
        with patch.dict(os.environ, settings):
            os.environ.pop("MPLBACKEND", None)
            client.execute(cleanup_kc=True)  # stops the kernel, also after an error


def shown(cell: NotebookNode) -> list[Any]:
    """Return what a cell shows, without pictures' content and the digits of numbers."""
    return [
        (output.output_type, masked(output.text))
        if output.output_type == "stream"
        else (output.output_type, sorted(output.data), masked(output.data["text/plain"]))
        for output in cell.outputs
    ]


def masked(text: str) -> str:
    """Replace numbers, and the blanks and rules that are as wide as they.

    >>> masked("AUC   0.8392 in 23,570") == masked("AUC 0.84 in 1,570")
    True
    """
    return re.sub(r"[\s─-]+", " ", re.sub(r"-?\d[\d,.]*(e[+-]\d+)?%?", "#", text)).strip()


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[Path, tuple[NotebookNode, Path]]:
    """Every notebook as it is after a run, and the folder it ran in; run when first asked for."""

    class Runs(dict[Path, tuple[NotebookNode, Path]]):
        def __missing__(self, path: Path) -> tuple[NotebookNode, Path]:
            if needs_data(path):
                os.environ[DATA] = str(request.getfixturevalue("stayworth_data"))
            notebook, folder = nbformat.read(path, as_version=4), tmp_path_factory.mktemp(path.stem)
            for cell in code_cells(notebook):
                cell.outputs, cell.execution_count = [], None
            execute(notebook, folder)
            self[path] = notebook, folder
            return self[path]

    return Runs()


def test_the_walkthrough_is_there() -> None:
    assert "retention_walkthrough" in [path.stem for path in NOTEBOOKS]


@each_notebook
def test_a_notebook_defines_nothing(path: Path) -> None:
    logic = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    transform = TransformerManager().transform_cell  # %matplotlib is no Python
    defined = [
        f"cell {number}: {ast.unparse(node)[:60]}"
        for number, cell in enumerate(code_cells(nbformat.read(path, as_version=4)), start=1)
        for node in ast.walk(ast.parse(transform(cell.source)))
        if isinstance(node, logic)
    ]

    assert defined == []


@each_notebook
def test_a_notebook_imports_from_nowhere_deeper_than_the_three_packages(path: Path) -> None:
    deeper = re.findall(
        r"^\s*(?:from|import) (?:features|training|serving)\..*", all_code(path), re.MULTILINE
    )

    assert deeper == []


@each_notebook
def test_a_notebook_is_kept_as_one_run_from_top_to_bottom_left_it(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)

    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert [cell.source for cell in code_cells(notebook) if "execution" in cell.metadata] == []  # clock times
    assert path.stat().st_size < LARGEST


@each_run
def test_a_notebook_runs_without_an_error_or_a_warning(path: Path, runs: Any) -> None:
    notebook, _ = runs[path]

    complaints = [
        output.get("text") or output.get("evalue")
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert complaints == []


@each_run
def test_what_a_notebook_shows_is_what_it_computes(path: Path, runs: Any) -> None:
    kept, (fresh, _) = nbformat.read(path, as_version=4), runs[path]

    for before, now in zip(code_cells(kept), code_cells(fresh), strict=True):
        assert shown(before) == shown(now), f"stale: run python tests/test_notebooks.py notebooks/{path.name}"


@each_run
def test_a_notebook_leaves_nothing_behind(path: Path, runs: Any) -> None:
    _, folder = runs[path]

    assert list(folder.iterdir()) == []


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, Path(folder))
        nbformat.write(notebook, path)
        print(f"{path}: {path.stat().st_size:,} bytes")
