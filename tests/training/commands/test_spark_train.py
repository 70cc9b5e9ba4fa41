"""``stayworth train --engine spark``: the version of DuckDB's path, from a log that lies on Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from features.datasets import cdnow_sample
from features.engines import spark_log
from serving.cli import app
from training.commands import spark_train
from training.versions.registry import Registry

pytestmark = pytest.mark.spark

CHURN = ("--horizon-days", "90", "--snapshots", "2", "--sample-customers", "1000", "--threads", "1", "--json")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the orders of CDNOW's sample in two files, of which the driver validates a part only."""
    orders = cdnow_sample().select(["customer_id", "ordered_at", "amount"])
    (tmp_path / "orders").mkdir()
    for name, rows in (("a", orders.slice(0, 3_000)), ("b", orders.slice(3_000))):
        pq.write_table(rows, tmp_path / "orders" / f"{name}.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAYWORTH_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(spark_log, "SAMPLE_ROWS", 2_000)
    return tmp_path


def train(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["train", "--transactions", "orders", *arguments])


def test_a_version_is_that_of_duckdbs_path(spark, shop: Path) -> None:
    here, there = train(*CHURN), train("--engine", "spark", *CHURN)

    assert (here.exit_code, there.exit_code) == (0, 0), there.output
    one, other = (json.loads(each.stdout) for each in (here, there))
    assert other.pop("version") != one.pop("version")
    assert other == one  # every metric of the test, and the note on the sample
    assert any("drawn by a hash" in note for note in one["notes"])
    ours, theirs = (Registry(f"sqlite:///{shop}/mlflow.db").load(version) for version in ("1", "2"))
    assert theirs.clv.to_dict() == ours.clv.to_dict()  # fitted on all 2,357 customers
    assert theirs.tiers == ours.tiers
    log, expected = theirs.card.log, ours.card.log
    assert (log.rows_in, log.rows_used, log.customers, log.first_day, log.last_day, log.terms) == (
        *(expected.rows_in, expected.rows_used, expected.customers, expected.first_day, expected.last_day),
        expected.terms,
    )
    assert (theirs.card.reference.rows, ours.card.reference.rows) == (log.rows_used, log.rows_used)


def test_of_very_many_customers_the_deployed_purchase_model_takes_a_sample_and_says_so(
    spark, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_train, "MOST_FITTED", 1_500)

    done = train("--engine", "spark", *CHURN)

    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    assert any("are fitted on 1,500, drawn by the same hash" in note for note in document["notes"])
    assert Registry(f"sqlite:///{shop}/mlflow.db").load("1").clv.n_customers == 1_500


def test_options_that_spark_does_not_cover_are_refused_by_name(shop: Path) -> None:
    refused = train(
        "--engine", "spark", "--if-due", "--touchpoints", "t.csv", "--where", "amount > 0", *CHURN
    )

    assert refused.exit_code == 2
    assert "--engine spark does not cover --if-due, --where, --touchpoints" in refused.output.replace(
        "\n", " "
    )
