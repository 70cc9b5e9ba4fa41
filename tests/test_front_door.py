"""What the three packages export: importable, light to import, and the same numbers as the commands give."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import features
import serving
import training
from features import StayworthError, cdnow_sample, load_log
from serving.cli import app

ROOT = Path(__file__).resolve().parents[1]
each_package = pytest.mark.parametrize("package", [features, training, serving, training.report])


@each_package
def test_every_public_name_is_there_and_is_what_mypy_sees(package: ModuleType) -> None:
    tree = ast.parse(Path(str(package.__file__)).read_text())
    seen = {
        (statement.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.If)
        for statement in ast.walk(node)
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }

    assert sorted(name for _, name in seen) == package.__all__
    for module, name in seen:
        home = importlib.import_module(str(module))
        assert getattr(package, name) is getattr(home, name)


@each_package
def test_a_package_has_about_fifteen_public_names_and_no_other(package: ModuleType) -> None:
    assert 5 <= len(package.__all__) <= 20

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(package, "nothing")  # noqa: B009


@pytest.mark.parametrize("module", ["features", "training", "serving", "serving.client"])
def test_importing_a_package_or_the_client_loads_nothing_heavy(module: str) -> None:
    heavy = {"pandas", "numpy", "pyarrow", "lightgbm", "mlflow", "duckdb", "bentoml", "typer", "pydantic"}
    program = f"import json, sys, {module}; print(json.dumps(list(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)

    assert heavy & set(json.loads(loaded.stdout)) == set()


@pytest.mark.parametrize("package", ["features", "training", "serving"])
def test_a_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CDNOW's sample as a CSV whose customers have a column name of their own."""
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    sample = cdnow_sample().to_pandas()[["customer_id", "ordered_at", "amount"]]
    sample.rename(columns={"customer_id": "client"}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def deflator(orders: Path) -> Path:
    """Prices that rise by 3% a month, for each month of the sample."""
    months = pd.period_range("1997-01", "1998-06", freq="M").astype(str)
    path = orders.with_name("deflator.csv")
    pd.DataFrame({"month": months, "index": [100 * 1.03**n for n in range(18)]}).to_csv(path, index=False)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("real", [False, True], ids=["money as booked", "real money"])
def test_fit_and_predict_give_the_numbers_of_the_commands_to_the_last_digit(
    orders: Path, deflator: Path, tmp_path: Path, real: bool
) -> None:
    money: dict[str, Any] = {"deflator": deflator} if real else {}
    log = ["--transactions", str(orders), "--customer-column", "client"]
    log += [text for name, path in money.items() for text in (f"--{name}", str(path))]
    registry = ["--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    size = ["--horizon-days", "60", "--snapshots", "3", "--threads", "1", "--cost-per-day", "0.01"]
    listed = tmp_path / "scored.parquet"
    for words in (
        ["train", *log, *registry, *size, "--promote"],
        ["score", *log, *registry, "--snapshot-date", "1998-04-01", "--out", str(listed)],
    ):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output

    options: dict[str, Any] = {"horizon_days": 60, "snapshots": 3, "threads": 1, "cost_per_day": 0.01}
    model = training.fit(orders, **options, **money, customer_column="client")
    predicted = model.predict(orders, snapshot_date="1998-04-01", customer_column="client", **money)

    by_command = pd.read_parquet(listed).drop(columns="model_version")
    assert (by_command.pop("id_length") == by_command["customer_id"].str.len()).all()  # of a file alone
    by_command["reasons"] = by_command["reasons"].map(list)
    pd.testing.assert_frame_equal(
        predicted[list(by_command.columns)], by_command, check_exact=True, check_dtype=False
    )
    again = model.predict(load_log(pd.read_csv(orders, dtype=str), customer_column="client"), "1998-04-01")
    pd.testing.assert_frame_equal(again, predicted)
    assert (predicted["expected_value"] < predicted["expected_gross_value"]).all()
    assert bool(model.card.log.terms and model.card.log.terms.prices) is real


def test_money_of_a_deflator_is_refused_by_a_model_that_learnt_from_money_as_booked(
    cdnow_run: training.TrainingRun, orders: Path, deflator: Path
) -> None:
    with pytest.raises(
        StayworthError, match="of 1998-06, by a deflator, and the model learnt from money as booked"
    ):
        cdnow_run.model.predict(orders, "1998-04-01", deflator=deflator, customer_column="client")


def test_an_option_that_there_is_not_is_refused_with_the_nearest(orders: Path) -> None:
    with pytest.raises(TypeError, match=r"there is no option 'snapshot'\. Did you mean snapshots\?"):
        training.fit(orders, snapshot=3)
    with pytest.raises(TypeError, match=r"Did you mean customer_column\?"):
        load_log(orders, custmer_column="client")
    with pytest.raises(TypeError, match="validated already"):
        load_log(load_log(orders, customer_column="client"), customer_column="client")


def test_a_snapshot_date_that_is_no_date_or_lies_in_the_future_is_refused(
    cdnow_run: training.TrainingRun, cdnow_log: features.TransactionLog
) -> None:
    with pytest.raises(StayworthError, match="Write it as YYYY-MM-DD"):
        cdnow_run.model.predict(cdnow_log, "1 April 1998")
    with pytest.raises(StayworthError, match="lies in the future"):
        cdnow_run.model.predict(cdnow_log, "2999-01-01")
