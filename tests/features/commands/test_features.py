"""The command ``features``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from features.commands.features import app

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ann buys in January and March, Bob in February, and one order has no customer."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,ordered_at,amount\nann,1998-01-05,20.50\nbob,1998-02-05,7\n,1998-02-05,7\nann,1998-03-05,8\n"
    )
    return path


def run_features(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_features_writes_one_row_for_each_customer_known_at_each_date(orders: Path) -> None:
    result = run_features(
        *("--transactions", orders, "--out", "f.parquet"),
        *("--snapshot-date", "1998-03-05", "--snapshot-date", "1998-02-01"),
    )

    assert result.exit_code == 0, result.output
    table = pq.read_table("f.parquet").to_pandas()
    assert list(zip(table["snapshot_date"].astype(str), table["customer_id"], strict=True)) == [
        ("1998-02-01", "ann"),
        ("1998-03-05", "ann"),
        ("1998-03-05", "bob"),
    ]


def test_features_tells_a_script_what_it_counted(orders: Path) -> None:
    told = json.loads(
        run_features(
            *("--transactions", orders, "--out", "f.parquet", "--json"),
            *("--snapshot-date", "1998-03-05", "--snapshot-date", "1998-02-01"),
        ).stdout
    )

    assert (told["rows"]["rows_in"], told["rows"]["quarantined"]) == (4, {"no customer": 1})
    assert told["snapshots"] == [
        {"snapshot_date": "1998-02-01", "customers": 1, "rows_seen": 1, "rows_not_visible": 2},
        {"snapshot_date": "1998-03-05", "customers": 2, "rows_seen": 2, "rows_not_visible": 1},
    ]


def test_features_prints_a_balance_that_adds_up(orders: Path) -> None:
    result = run_features("--transactions", orders, "--out", "f.parquet", "--snapshot-date", "1998-03-05")

    # Ann's order of 5 March cannot be seen on that day:
    # 4 rows in = 2 used + 1 quarantined + 1 not yet visible.
    lines = [line.split() for line in result.stdout.splitlines()]
    # The customers and days are those of the whole log, which the rows seen are not.
    assert ["rows", "in", "4", "2", "customers,", "1998-01-05", "to", "1998-03-05"] in lines
    assert ["used", "2"] in lines
    assert [line[3] for line in lines if line[:1] == ["quarantined:"]] == ["1"]
    assert [line[3] for line in lines if line[:3] == ["not", "yet", "visible"]] == ["1"]
    assert ["1998-03-05", "2", "2", "1"] in lines


def test_features_describes_the_end_of_the_log_where_no_date_is_given(orders: Path) -> None:
    assert run_features("--transactions", orders, "--out", "end.parquet").exit_code == 0
    assert run_features("--transactions", orders, "--out", "two.parquet", "--snapshots", 2).exit_code == 0

    def dates(name: str) -> set[str]:
        return {str(day) for day in pq.read_table(name).column("snapshot_date").to_pylist()}

    assert dates("end.parquet") == {"1998-03-06"}
    assert dates("two.parquet") == {"1998-02-06", "1998-03-06"}


def test_features_writes_the_quarantined_rows_where_asked(orders: Path) -> None:
    result = run_features("--transactions", orders, "--out", "f.parquet", "--quarantine", "q.csv")

    assert result.exit_code == 0, result.output
    header, *rows = Path("q.csv").read_text().splitlines()
    assert header.startswith('"row_number","reason"')
    assert [row.split(",")[:2] for row in rows] == [["3", '"no customer"']]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("--snapshot-date", "1998-01-05"),
            "No order lies before 1998-01-05. Use --snapshot-date 1998-01-06",
        ),
        (("--snapshot-date", "2998-01-01"), "2998-01-01 lies in the future. Use --snapshot-date 1998-03-06"),
        (("--snapshot-date", "5 March"), "'5 March' is not a date"),
        (
            ("--snapshot-date", "1998-03-05", "--snapshots", "2"),
            "Give --snapshot-date or --snapshots, not both",
        ),
        (("--out", "no/such/f.parquet"), "the folder"),
        (("--out", "f.xlsx"), "Cannot write f.xlsx: name it .csv or .parquet"),
        (("--quarantine", "q.txt"), "Cannot write q.txt: name it .csv or .parquet"),
        (("--customer-column", "client"), "no column 'client'"),
    ],
)
def test_features_says_what_is_wrong_and_writes_nothing(
    orders: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    result = run_features("--transactions", orders, "--out", "f.parquet", *arguments)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert os.listdir(orders.parent) == ["orders.csv"]


def test_features_is_also_a_module(orders: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "features", "--transactions", orders, "--out", orders.parent / "f.parquet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert (orders.parent / "f.parquet").exists()
