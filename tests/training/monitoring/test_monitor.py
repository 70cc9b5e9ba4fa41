"""Monitoring of a deployed model: nothing is reported while nothing changes, and each change is found and named.

A closed cohort follows BG/NBD exactly. A model of 1 February 2025, trained on one half of the customers, meets the
log of the other half on 1 May: as it came, or with a change planted in what came since. So all that is silent here
is silent across two halves of one log, while every customer grows three months older.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner, Result

from features.datasets import simulate_log
from features.errors import ModelError, WindowError
from features.log.loading import load_log
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.columns import as_columns
from features.table.history import PurchaseHistory
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import fit_churn
from training.clv.value import ValueTerms
from training.commands.monitor import monitor, why_due
from training.commands.train import app as train_app
from training.model.card import TrainingCard
from training.model.files import save_model
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.monitoring.columns import days_back, with_predictions
from training.monitoring.monitor import MonitoringResult, monitor_model
from training.monitoring.pace import expect_to_date
from training.monitoring.reference_builder import build_reference, measure_slices
from training.monitoring.settings import MonitorSettings
from training.reference.reference import Reference, UsualDrift
from training.snapshots.dataset import describe_snapshot, labelled_snapshots
from training.snapshots.schedule import closed_snapshots
from training.versions.registry import Registry

HORIZON_DAYS = 60
TRAINED = pd.Timestamp("2025-02-01")
NOW = pd.Timestamp("2025-05-01")
DORMANT_AFTER_DAYS = 2 * HORIZON_DAYS

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def everybody() -> pd.DataFrame:
    """3,000 customers who came within 12 weeks and buy for 16 months, 40% of the orders on the web."""
    simulated = simulate_log(3_000, r=0.9, alpha=6.0, a=0.6, b=3.0, start=date(2024, 1, 1), weeks=70, seed=3)
    frame = simulated.transactions.to_pandas()
    frame["channel"] = np.where(np.random.default_rng(0).random(len(frame)) < 0.4, "web", "shop")
    return frame[frame["ordered_at"] < NOW]


@pytest.fixture(scope="module")
def orders(everybody: pd.DataFrame) -> pd.DataFrame:
    """The half that the model does not know."""
    return everybody[~_first_half(everybody)]


def _first_half(orders: pd.DataFrame) -> pd.Series:
    return orders["customer_id"].isin(np.unique(orders["customer_id"])[::2])


def train_on(orders: pd.DataFrame, card: TrainingCard) -> RetentionModel:
    """Train on what came before 1 February: BG/NBD with a small residual, its test the newest closed window."""
    log = validate(orders[orders["ordered_at"] < TRAINED])
    newest = Snapshot.after(log.last_day)
    with PurchaseHistory(log) as history:
        rows = labelled_snapshots(
            history, closed_snapshots(newest, log.first_day, HORIZON_DAYS, limit=4), HORIZON_DAYS
        )
        newest_table = describe_snapshot(history, newest, HORIZON_DAYS)
    choice: dict[str, Any] = {
        "monotone": True,
        "calibrator": Calibrator(),
        "level": Level(),
        "seed": 0,
        "threads": 1,
    }
    churn = fit_churn(rows, rounds=15, **choice)
    terms = ValueTerms(horizon_days=HORIZON_DAYS)
    model = RetentionModel(churn, newest_table.clv, terms, Tiers((20.0, 5.0)), card)
    test = rows[-1]
    predicted = with_predictions(replace(model, clv=test.clv), test.table)
    test_performance = measure_slices(
        test,
        predicted["churn_probability"].to_numpy(),
        predicted["expected_spend"].to_numpy(),
        DORMANT_AFTER_DAYS,
    )
    reference = build_reference(model, log, rows, newest_table, test_performance)
    return replace(model, card=replace(card, reference=reference))


@pytest.fixture(scope="module")
def model(everybody: pd.DataFrame, training_card: TrainingCard) -> RetentionModel:
    card = replace(
        training_card, dormant_after_days=DORMANT_AFTER_DAYS, snapshot=Snapshot.parse("2025-02-01")
    )
    return train_on(everybody[_first_half(everybody)], card)


@pytest.fixture(scope="module")
def calm(model: RetentionModel, orders: pd.DataFrame) -> MonitoringResult:
    """The monitoring result on the log as it came."""
    return monitor_model(model, validate(orders))


def since(change: Change, orders: pd.DataFrame, start: pd.Timestamp = TRAINED) -> TransactionLog:
    """Plant a change in the orders since a date."""
    later = orders["ordered_at"] >= start
    return validate(pd.concat([orders[~later], change(orders[later].copy())]))


def test_nothing_drifts_while_customers_do_what_they_always_did(calm: MonitoringResult) -> None:
    assert calm.reasons == ()
    assert not calm.due
    assert set(calm.live["gauge"]) == {"log_loss", "calibration_in_the_large", "value_ratio"}
    assert set(calm.live["snapshot_date"]) == {"2025-02-01", "2025-03-01"}  # closed by 1 May: 2 and 30 April


def test_two_halves_at_one_date_are_alike_and_no_window_has_closed(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    result = monitor_model(model, validate(orders[orders["ordered_at"] < TRAINED]))

    assert result.reasons == ()
    assert (result.drift["p_value"] < 0.001).sum() <= 1
    assert result.live.empty
    assert result.notes[0].startswith(
        "Live performance is not known yet: the model's first own churn window closes"
    )


def test_all_customers_are_three_months_older_and_that_is_no_drift(calm: MonitoringResult) -> None:
    age = calm.drift.set_index("column").loc["T"]

    assert age["psi"] > 2
    assert age["p_value"] < 1e-100
    assert not age["drifted"]


def test_doubled_spend_is_found_and_named(model: RetentionModel, orders: pd.DataFrame) -> None:
    result = monitor_model(model, since(lambda new: new.assign(amount=2 * new["amount"]), orders))

    assert result.due
    assert result.drift.loc[0, "column"] == "amount"
    (reason,) = [each for each in result.reasons if each.startswith("amount of the latest orders")]
    assert "has drifted: median" in reason
    (value,) = [each for each in result.reasons if each.startswith("expected over actual spend 0.")]
    assert "at 2025-03-01, expected" in value


def test_a_lost_channel_is_found_and_named(model: RetentionModel, orders: pd.DataFrame) -> None:
    result = monitor_model(model, since(lambda new: new[new["channel"] != "web"], orders))

    (reason,) = [each for each in result.reasons if each.startswith("channel of the latest orders")]
    assert re.search(r"has drifted: web (39|40|41)%, now 0%; stability index", reason)


def test_a_channel_column_that_vanished_is_found(model: RetentionModel, orders: pd.DataFrame) -> None:
    result = monitor_model(model, validate(orders.drop(columns="channel")))

    moved = result.drift.set_index("column")["moved"]
    assert result.due
    assert moved["distinct_channels"] == "missing for 0%, now 100%"


def test_doubled_churn_is_found_in_what_came_true(model: RetentionModel, orders: pd.DataFrame) -> None:
    def half_of_the_customers_leave(new: pd.DataFrame) -> pd.DataFrame:
        return new[new["customer_id"].map(lambda name: sum(name.encode()) % 2 == 0)]

    result = monitor_model(model, since(half_of_the_customers_leave, orders))

    reason = result.reasons[0]
    assert re.fullmatch(
        r"live calibration-in-the-large -0\.1\d\d at 2025-03-01, expected [+-]0\.\d{3} ± 0\.\d{3}", reason
    )
    assert result.metrics["live_calibration_in_the_large"] < -0.1


def dropped(share: float) -> Change:
    """Lose a share of the orders, whoever made them."""
    return lambda new: new[np.random.default_rng(4).random(len(new)) >= share]


def test_a_rate_that_drops_by_two_fifths_is_seen_within_thirty_days_of_an_open_window(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    begun = orders[orders["ordered_at"] < "2025-03-03"]

    calm, dropping = monitor_model(model, validate(begun)), monitor_model(model, since(dropped(0.4), begun))

    assert calm.reasons == () and not calm.pace["worse"].any()
    assert list(calm.pace["gauge"]) == ["purchases", "active_customers"]
    assert calm.metrics["pace_purchases"] == pytest.approx(1, abs=0.15)
    assert dropping.live.empty  # no window has closed
    (reason,) = [each for each in dropping.reasons if "fewer than expected" in each]
    assert re.fullmatch(
        r"\d+ purchases in the 28 days from 2025-02-03, fewer than expected: \d+ \(\d+ to \d+\)", reason
    )
    assert dropping.metrics["pace_purchases"] == pytest.approx(0.6, abs=0.1)


def test_a_rate_that_rises_is_seen_too(model: RetentionModel, orders: pd.DataFrame) -> None:
    begun = orders[orders["ordered_at"] < "2025-03-03"]

    def doubled(new: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([new, new.assign(ordered_at=new["ordered_at"] - pd.Timedelta(days=1))])

    result = monitor_model(model, since(doubled, begun, start=TRAINED + pd.Timedelta(days=1)))

    assert any("more than expected" in reason for reason in result.reasons)


def test_what_is_expected_by_the_windows_end_is_what_the_list_says_of_the_window(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    snapshot = Snapshot.parse("2025-02-01")
    with PurchaseHistory(validate(orders)) as history:
        table = history.features(snapshot)
    columns = as_columns(table.drop(columns="customer_id"))
    scores = model.score(table)

    whole, week = (
        expect_to_date(model.churn, model.clv, columns, snapshot, HORIZON_DAYS, days)
        for days in (HORIZON_DAYS, 7)
    )

    assert whole.active == pytest.approx(1 - scores["churn_probability"].to_numpy())
    assert whole.purchases == pytest.approx(scores["expected_purchases"].to_numpy(float))
    assert (week.active < whole.active).all() and (week.purchases < whole.purchases).all()
    assert (week.active <= week.purchases).all()


def test_a_difference_that_is_tolerated_makes_nothing_due(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    begun = orders[orders["ordered_at"] < "2025-03-03"]

    result = monitor_model(model, since(dropped(0.4), begun), MonitorSettings(pace_tolerance=0.5))

    assert not any("than expected" in reason for reason in result.reasons)


def test_less_than_a_week_after_training_no_pace_is_read(model: RetentionModel, orders: pd.DataFrame) -> None:
    result = monitor_model(model, validate(orders[orders["ordered_at"] < "2025-02-06"]))

    assert result.pace.empty


def test_a_version_of_an_earlier_release_is_monitored_without_a_pace(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    numbers = model.card.reference.to_dict()
    del numbers["pace"]
    older = replace(model, card=replace(model.card, reference=Reference.from_dict(numbers)))

    result = monitor_model(older, validate(orders))

    assert result.pace.empty and not result.due


def test_a_feed_that_lost_half_of_the_customers_is_found_before_any_window_closes(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    begun = orders[orders["ordered_at"] < "2025-03-20"]
    lost = begun["customer_id"].map(lambda name: sum(name.encode()) % 3 > 0)

    whole = monitor_model(model, validate(begun))
    torn = monitor_model(model, validate(begun[~lost | (begun["ordered_at"] < TRAINED)]))

    assert whole.reasons == ()
    assert torn.live.empty
    assert any(
        re.match(r"orders_30d \(feature\) has drifted: zero for \d\d%, now \d\d%", reason)
        for reason in torn.reasons
    )


def test_habits_that_no_longer_tell_who_stays_are_found_in_the_log_loss(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    names = orders["customer_id"].unique()
    other = dict(zip(names, np.random.default_rng(1).permutation(names), strict=True))

    result = monitor_model(
        model, since(lambda new: new.assign(customer_id=new["customer_id"].map(other)), orders)
    )

    first = result.live[result.live["snapshot_date"] == "2025-02-01"].set_index(["customers_slice", "gauge"])
    assert first.loc[("all", "log_loss"), "worse"]
    assert not first.loc[("all", "calibration_in_the_large"), "worse"]  # as many stay as before
    assert first.loc[("all", "log_loss"), "auc"] < 0.6
    assert re.match(
        r"live log-loss \d\.\d{3} at 2025-03-01, expected \d\.\d{3} ± 0\.\d{3}$", result.reasons[0]
    )


def test_only_what_the_newest_closed_window_shows_makes_a_model_due(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    month = orders["ordered_at"].between("2025-02-01", "2025-03-01", inclusive="left")

    result = monitor_model(model, validate(orders[~month]))

    live = result.live.set_index(["snapshot_date", "customers_slice", "gauge"])["worse"]
    assert live["2025-02-01", "all", "calibration_in_the_large"]  # the month without orders
    assert not any(reason.startswith("live") for reason in result.reasons)


def test_a_model_is_due_by_age_when_two_horizons_have_passed(
    model: RetentionModel, orders: pd.DataFrame
) -> None:
    log = validate(orders)

    by_age = monitor_model(model, log, MonitorSettings(max_age_days=89))
    never = monitor_model(model, log, MonitorSettings(max_age_days=0))

    assert by_age.reasons == (
        "the model knows orders before 2025-02-01 only; that was 89 days ago, the limit is 89, and more churn "
        "windows have closed since",
    )
    assert never.reasons == ()


def test_a_rewritten_log_is_noted(model: RetentionModel, orders: pd.DataFrame) -> None:
    early = orders["ordered_at"] < "2024-03-01"

    rows = (~early & (orders["ordered_at"] < TRAINED)).sum()
    result = monitor_model(model, validate(orders[~early]))

    fewer = model.card.reference.rows - rows
    assert result.notes[0].startswith(f"The log has {fewer:,} rows fewer before 2025-02-01 than the ")


def test_an_older_log_than_the_model_is_refused(model: RetentionModel, orders: pd.DataFrame) -> None:
    with pytest.raises(WindowError, match="ends 2024-12-31, but the model was trained on orders up to"):
        monitor_model(model, validate(orders[orders["ordered_at"] < "2025-01-01"]))


def test_a_model_without_reference_says_what_to_do(model: RetentionModel, orders: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match="holds no reference .* stayworth train"):
        monitor_model(replace(model, card=replace(model.card, reference=None)), validate(orders))


def test_the_reference_holds_no_customer(model: RetentionModel, orders: pd.DataFrame) -> None:
    stored = json.dumps(model.card.reference.to_dict(), allow_nan=False)
    spend = orders[orders["ordered_at"] < TRAINED].groupby("customer_id")["amount"].sum()

    assert not [name for name in orders["customer_id"].unique() if f'"{name}"' in stored]
    assert max(model.card.reference.columns["gross_spend"].edges) < spend.max()
    assert len(stored) < 60_000
    assert Reference.from_dict(json.loads(stored)).to_dict() == model.card.reference.to_dict()


def test_what_looks_back_is_compared_among_customers_who_were_there() -> None:
    assert [days_back(name) for name in ("spend_365d", "orders_trend_90d", "mean_basket")] == [365, 180, 0]


def test_a_drift_seen_in_a_month_is_usual_in_two() -> None:
    usual = UsualDrift((0.1, 0.1, 0.4), (0.0, 0.0, 0.2))

    assert usual.over(days=31) == usual.over(days=62) == (0.1, 0.0)
    assert (
        usual.over(days=92) == usual.over(days=75) == (0.4, 0.2)
    )  # between two and three months: as in three
    assert usual.over(days=900) == (0.4, 0.2)
    assert np.isnan(UsualDrift().over(days=30)).all()


@pytest.fixture(scope="module")
def shop(model: RetentionModel, orders: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a champion, and the orders as they came and with doubled amounts."""
    folder = tmp_path_factory.mktemp("shop")
    save_model(model, folder / "model")
    registry = Registry(f"sqlite:///{folder}/mlflow.db")
    registry.promote(registry.log_run(model_folder=folder / "model").version)
    orders.to_parquet(folder / "calm.parquet")
    later = orders["ordered_at"] >= TRAINED
    orders.assign(amount=orders["amount"].where(~later, 2 * orders["amount"])).to_parquet(
        folder / "doubled.parquet"
    )
    before_march = orders["ordered_at"] < "2025-03-03"
    keep = ~later | (np.random.default_rng(4).random(len(orders)) >= 0.4)
    orders[before_march & keep].to_parquet(folder / "dropped.parquet")
    return folder


def run(shop: Path, log: str, *more: str) -> Result:
    app = typer.Typer()
    app.command()(monitor)
    address = f"sqlite:///{shop}/mlflow.db"
    arguments = ["--transactions", str(shop / f"{log}.parquet"), "--tracking-uri", address, *more]
    return CliRunner().invoke(app, arguments)


def test_the_command_ends_with_0_where_all_is_well(shop: Path) -> None:
    result = run(shop, "calm")

    assert result.exit_code == 0, result.output
    assert "Not due: version 1 of 2025-02-01 performs as expected, and nothing has drifted." in result.stdout
    assert "Drift from 2025-02-01, model 1, to 2025-05-01" in result.stdout


def test_the_command_ends_with_3_where_retraining_is_due_and_says_why(shop: Path) -> None:
    result = run(shop, "doubled")

    assert result.exit_code == 3, result.output
    assert "Due: amount of the latest orders has drifted: median" in result.stdout


def test_the_command_ends_with_3_where_purchases_drop_in_an_open_window(shop: Path) -> None:
    result = run(shop, "dropped")

    assert result.exit_code == 3, result.output
    assert re.search(r"2025-02-03 +28 +Purchases +\d+ +\d+ +\d+ to \d+ +off", result.stdout)
    assert re.search(r"Due: \d+ purchases in the 28 days from 2025-02-03, fewer than expected", result.stdout)


def test_the_command_leaves_its_findings_in_the_registry(shop: Path) -> None:
    run(shop, "doubled")

    tags = Registry(f"sqlite:///{shop}/mlflow.db").champion().tags
    assert tags["monitored"] == "2025-05-01"
    assert "amount of the latest orders" in tags["due"]


def test_a_mistake_in_a_setting_is_named(shop: Path) -> None:
    result = run(shop, "calm", "--psi", "-1")

    assert result.exit_code == 2
    assert "--psi" in result.output


def test_training_is_due_where_nothing_was_promoted(tmp_path: Path, orders: pd.DataFrame) -> None:
    registry = Registry(f"sqlite:///{tmp_path}/none.db")

    told = why_due(registry, validate(orders.head(100)), MonitorSettings())

    assert told == (True, ["Due: there is no champion yet."])


def test_training_is_due_when_monitoring_says_so(shop: Path, orders: pd.DataFrame) -> None:
    due, reasons = why_due(Registry(f"sqlite:///{shop}/mlflow.db"), validate(orders), MonitorSettings())

    assert not due
    assert reasons[-1].startswith("Not due: version 1 of 2025-02-01")


def test_training_that_is_due_waits_where_a_version_of_these_orders_has_lost(
    shop: Path, tmp_path: Path
) -> None:
    shutil.copy(shop / "mlflow.db", tmp_path)
    registry, log = Registry(f"sqlite:///{tmp_path}/mlflow.db"), load_log(f"{shop}/doubled.parquet")
    due, _ = why_due(registry, log, MonitorSettings())
    loser = registry.log_run(model_folder=shop / "model").version
    told = {"promotion": "worse", "promotion_against": "1", "trained_up_to": "2025-05-01"}
    registry.annotate(loser, tags=told)

    waits, reasons = why_due(registry, log, MonitorSettings())

    assert (due, waits) == (True, False)
    assert any(reason.startswith("Due: amount of the latest orders has drifted") for reason in reasons)
    assert reasons[-1].startswith("Not now: version 2 knows these closed windows and lost to version 1.")


def test_training_if_due_obeys_the_monitors_section_of_the_config_file(shop: Path, tmp_path: Path) -> None:
    # doubled amounts are due by default; these settings tolerate any drift
    config = tmp_path / "tolerant.toml"
    config.write_text(
        "[monitor]\npsi = 99.0\nlog_loss_tolerance = 99.0\ncalibration_tolerance = 99.0\nvalue_tolerance = 99.0\n"
    )
    flags = ["--transactions", f"{shop}/doubled.parquet", "--tracking-uri", f"sqlite:///{shop}/mlflow.db"]

    result = CliRunner().invoke(train_app, [*flags, "--if-due", "--config", str(config)])

    assert result.exit_code == 5, result.output
    assert "Not due: version 1 of 2025-02-01" in result.stdout
    assert [version.version for version in Registry(f"sqlite:///{shop}/mlflow.db").versions()] == ["1"]
