"""A registered version can be given to anybody: it names no customer."""

from __future__ import annotations

import re
from pathlib import Path

from features.log.transactions import TransactionLog
from training.versions.registry import Registry


def text_of(path: Path) -> str:
    """Return what can be read in a file; of a PNG what stands before its points, which packed may say any number."""
    content = path.read_bytes()
    return (content.partition(b"IDAT")[0] if path.suffix == ".png" else content).decode(errors="replace")


def test_no_file_of_a_version_or_of_its_run_holds_an_id_of_the_log(
    registry_file: Path, log: TransactionLog
) -> None:
    # 0 and more digits: an id that no number in a file looks like.
    ids = {each for each in log.table["customer_id"].unique().to_pylist() if each.startswith("0")}

    files = [path for path in (registry_file.parent / "mlruns").rglob("*") if path.is_file()]
    found = {
        path.name: ids.intersection(re.findall(r"(?<![\w.#&])0\d+(?!\w)", text_of(path))) for path in files
    }

    assert {"input_example.json", "model.json", "card.html", "race.csv"} <= found.keys()
    assert {name for name, theirs in found.items() if theirs} == set()
    assert len(ids) > 500


def test_a_version_has_its_card_in_every_language(registry_file: Path, tmp_path: Path) -> None:
    folder = Registry(f"sqlite:///{registry_file}").download("1", tmp_path)

    english, persian = ((folder / name).read_text(encoding="utf-8") for name in ("card.html", "card.fa.html"))

    assert ('<html lang="en" dir="ltr">' in english, '<html lang="fa" dir="rtl">' in persian) == (True, True)
    assert "شناسنامهٔ مدل" in persian and "Model card" not in persian


def test_a_version_requires_no_name_that_nobody_owns_on_the_index(registry_file: Path) -> None:
    lists = list((registry_file.parent / "mlruns").rglob("requirements.txt"))

    names = [
        {re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in needed.read_text().splitlines()}
        for needed in lists
    ]
    assert lists
    assert all("stayworth" not in each for each in names)
    assert all({"lightgbm", "duckdb", "mlflow"} <= each for each in names)
