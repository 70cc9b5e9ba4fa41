"""``stayworth score --engine spark``: the list of DuckDB's path to the last digit, whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from features.engines.spark import SparkEngine
from features.engines.spark_files import SparkFolder
from features.errors import ModelError, StayworthError
from serving.cli import app
from serving.scorer import Scorer
from serving.spark_list import require_scorable

pytestmark = pytest.mark.spark


@pytest.fixture
def shop(orders: pa.Table, registry_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with orders in two files: some unusable, a customer of refunds only, one who comes late."""
    first = [str(day)[:10] for day in orders["ordered_at"].to_pylist()]
    odd: dict[str, list[Any]] = {
        "customer_id": [None, "odd", "refunds", "late", "0001"],
        "ordered_at": ["1998-01-01", "x", "1998-01-02", "1998-06-30", "1998-02-03"],
        "amount": [5.0, 5.0, -5.0, 5.0, float("nan")],
        "channel": [None, "web", "web", "phone", "web"],
    }
    rows = orders.set_column(orders.column_names.index("ordered_at"), "ordered_at", pa.array(first))
    (tmp_path / "orders").mkdir()
    pq.write_table(rows, tmp_path / "orders" / "1.parquet", row_group_size=2_000)
    pq.write_table(pa.table(odd, schema=rows.schema), tmp_path / "orders" / "2.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAYWORTH_TRACKING_URI", f"sqlite:///{registry_file}")
    return tmp_path


def score(*arguments: object) -> Result:
    told = ["score", "--transactions", "orders", *arguments]
    return CliRunner().invoke(app, [str(each) for each in told])


def on_spark(*arguments: object) -> Result:
    return score("--engine", "spark", *arguments)


def listed(place: Path) -> list[dict[str, Any]]:
    found = pq.read_table(place)
    # A file of one machine has the lengths of ids that begin with zeros, for spreadsheets.
    return found.drop_columns([name for name in found.column_names if name == "id_length"]).to_pylist()


def test_the_list_is_that_of_duckdb_to_the_last_digit(spark, shop: Path) -> None:
    options = ("--snapshot-date", "1998-05-01", "--accept", "other-history", "--language", "fa", "--json")

    here = score(
        "--out", "here.parquet", "--unscored", "unscored.csv", "--quarantine", "bad.parquet", *options
    )
    there = on_spark("--out", "there", "--unscored", "unscored", "--quarantine", "bad", *options)

    assert (here.exit_code, there.exit_code) == (0, 0), there.output
    found = listed(shop / "there")
    assert found == listed(shop / "here.parquet")  # order, dates, reasons and every bit of each number
    assert len(found) == 2357
    one, other = (json.loads(each.stdout) for each in (here, there))
    assert one.pop("value_at_risk") == pytest.approx(other.pop("value_at_risk"))  # a sum of floats
    assert other == one
    assert one["rows"]["quarantined"] == {
        "no customer": 1,
        "unreadable date": 1,
        "infinite or NaN amount": 1,
    }
    assert one["unscored"] == {"no order before the snapshot": 1, "refunds only before the snapshot": 1}
    assert [each["customer_id"] for each in listed(shop / "unscored")] == ["late", "refunds"]
    bad = pq.read_table(shop / "bad.parquet").drop_columns("row_number").to_pylist()
    assert sorted(listed(shop / "bad"), key=str) == sorted(bad, key=str)


def test_the_part_that_is_asked_for_is_that_of_duckdb(spark, shop: Path) -> None:
    asked = ("--recent", "--min-value", "2.5", "--top", "300")

    here, there = score("--out", "here.parquet", *asked), on_spark("--out", "there", *asked)

    assert (here.exit_code, there.exit_code) == (0, 0), there.output
    found = listed(shop / "there")
    assert found == listed(shop / "here.parquet")
    assert 0 < len(found) <= 300
    assert f"{len(found):,} customers in there" in there.output


def test_a_reseller_with_most_of_the_orders_gets_the_same_scores(spark, shop: Path) -> None:
    start = date(1997, 1, 1)
    reseller = pa.table(
        {
            "customer_id": ["reseller"] * 60_000,
            "ordered_at": [str(start + timedelta(days=number % 540)) for number in range(60_000)],
            "amount": [float(number % 977) for number in range(60_000)],
            "channel": ["web"] * 60_000,
        }
    )
    pq.write_table(reseller, shop / "orders" / "3.parquet")
    accepted = ("--accept", "other-history", "--accept", "other-unit")  # its orders are dearer than most

    here = score("--out", "here.parquet", *accepted)
    there = on_spark("--out", "there", *accepted)

    assert (here.exit_code, there.exit_code) == (0, 0), there.output
    found = listed(shop / "there")
    assert found == listed(shop / "here.parquet")
    assert "reseller" in [each["customer_id"] for each in found]


def test_a_table_of_the_catalogue_takes_the_list(spark, shop: Path) -> None:
    done = on_spark("--to", "scored_customers_of_the_test", "--top", "7")

    assert done.exit_code == 0, done.output
    assert spark.table("scored_customers_of_the_test").count() == 7
    spark.sql("DROP TABLE scored_customers_of_the_test")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--where", "channel = 'web'"), "--where"),
        (("--publish",), "--publish"),
        (("--customers", "crm.csv", "--loose-ids"), "--customers, --loose-ids"),
        (("--columns", "team", "--excel"), "--columns, --excel"),
        (("--parts", "parts", "--identities", "ids.csv"), "--identities, --parts"),
        (("--drop-identical", "--amount-per-order", "--accounting"), "--accounting, --amount-per-order"),
        (("--touchpoints", "t.csv"), "--touchpoints"),
        (("--surveys", "s.csv"), "--surveys"),
        (("--memory-limit", "4GB"), "--memory-limit"),  # the session is there already, with its memory
        (("--money-unit", "EUR"), "--money-unit"),
    ],
)
def test_an_option_that_spark_does_not_cover_is_refused_by_name(
    shop: Path, flags: tuple[str, ...], named: str
) -> None:
    refused = on_spark("--out", "there", *flags)

    assert refused.exit_code == 2
    assert f"--engine spark does not cover {named}" in refused.output.replace("\n", " ")
    assert not (shop / "there").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "list.csv"), "list.csv is named like a file. Name a folder, such as list."),
        (("--out", "orders"), "is there and no folder that Spark has finished writing"),
        (("--out", "nowhere/list"), "nowhere does not exist. Create it first."),
        (
            ("--to", "postgresql://me:secret@host/crm?table=scores"),
            "is a table of a database. Use --engine duckdb",
        ),
        (("--out", "list", "--snapshot-date", "1996-01-01"), "No order lies before"),
        (("--out", "list", "--currency", "EUR"), "The log has no column 'currency'"),
        (("--out", "list", "--timezone", "Asia/Tehran"), "time zone"),
    ],
)
def test_what_cannot_be_done_is_said_as_a_sentence(
    spark, shop: Path, arguments: tuple[str, ...], said: str
) -> None:
    refused = on_spark(*arguments)

    assert refused.exit_code == 2
    assert said in refused.output.replace("\n", " ")
    assert "secret" not in refused.output
    assert sorted(os.listdir(shop)) == ["orders"]


def test_a_master_without_spark_is_refused(shop: Path) -> None:
    refused = score("--out", "list.parquet", "--spark-master", "local[2]")

    assert refused.exit_code == 2
    assert "--spark-master goes with --engine spark" in refused.output


def test_a_version_that_takes_more_than_orders_is_refused(scorer: Scorer) -> None:
    require_scorable(scorer)
    shops_own = replace(scorer, model=replace(scorer.model, own={"weekend": "avg(orders)"}))

    with pytest.raises(
        ModelError, match="Version 1 takes own features, and --engine spark scores by orders alone"
    ):
        require_scorable(shops_own)


def test_a_list_takes_the_place_of_the_former_one_and_a_failure_leaves_it(spark, tmp_path: Path) -> None:
    def killed(batches):
        os._exit(1)  # as by the kernel, when memory runs out
        yield

    folder = SparkFolder(spark, str(tmp_path / "list"))
    with SparkEngine(spark) as engine:
        for number in (1, 2):
            folder.require()
            folder.write(engine.frame(f"SELECT {number} AS n"))

        with pytest.raises(StayworthError, match="Spark lost tasks more often than it tries again"):
            folder.write(engine.frame("SELECT 3 AS n").mapInArrow(killed, "n INT"))

    assert pq.read_table(tmp_path / "list").to_pylist() == [{"n": 2}]
    assert os.listdir(tmp_path) == ["list"]
