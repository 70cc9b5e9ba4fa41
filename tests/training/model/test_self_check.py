"""A version's own example: what it notices, and what it lets pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from features.datasets import cdnow_sample
from features.errors import ModelError
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import ChurnModel
from training.clv.fitting import fit_clv
from training.clv.gammagamma import EmpiricalSpend
from training.clv.value import ValueTerms
from training.model.card import TrainingCard
from training.model.files import load_model, save_model
from training.model.retention_model import RetentionModel
from training.model.self_check import FILE, TOLERANCE, check_example, example_orders, write_example
from training.model.tiers import Tiers


@pytest.fixture(scope="module")
def model(training_card: TrainingCard) -> RetentionModel:
    """A model without a booster: BG/NBD's own probability, which takes a second to fit."""
    with PurchaseHistory(validate(cdnow_sample())) as history:
        clv = fit_clv(history.features(Snapshot.parse("1997-10-01")))
    churn = ChurnModel(None, Calibrator(), Level(), base_mean=0.0)
    return RetentionModel(churn, clv, ValueTerms(), Tiers((20.0, 5.0)), training_card)


@pytest.fixture
def folder(model: RetentionModel, tmp_path: Path) -> Path:
    save_model(model, tmp_path)
    return tmp_path


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / FILE).read_text())
    change(content)
    (folder / FILE).write_text(json.dumps(content))


def test_a_model_that_was_read_scores_its_example_as_when_it_was_saved(folder: Path) -> None:
    check_example(load_model(folder), folder)


def test_the_example_spans_what_customers_do(model: RetentionModel, folder: Path) -> None:
    content = json.loads((folder / FILE).read_text())
    orders, scores = content["orders"], content["scores"]

    assert content["snapshot_date"] == "1997-10-01"
    assert len(set(orders["customer_id"])) == len(scores["customer_id"]) > 30
    assert max(orders["ordered_at"]) < "1997-10-01"
    assert min(orders["amount"]) < 0 < max(orders["amount"])
    assert set(scores["value_tier"]) == {"vip", "medium", "low"}
    assert min(scores["p_alive"]) < 0.1 and max(scores["p_alive"]) == 1.0
    assert None in scores["next_purchase_date"] and any(scores["next_purchase_date"])
    assert "reasons" not in scores


def test_its_amounts_are_in_the_scale_of_the_model(model: RetentionModel) -> None:
    in_yen = replace(model, clv=replace(model.clv, spend=EmpiricalSpend(5_000.0)))
    free = replace(model, clv=replace(model.clv, spend=EmpiricalSpend(0.0)))

    dear = example_orders(in_yen, date(1997, 10, 1))["amount"]
    worthless = example_orders(free, date(1997, 10, 1))["amount"]

    assert pc.max(dear).as_py() == 60_000.0
    assert pc.max(worthless).as_py() == 0.0


def test_a_model_that_scores_otherwise_is_refused_by_the_columns_that_differ(
    model: RetentionModel, folder: Path
) -> None:
    dear = replace(model, terms=ValueTerms(margin=model.terms.margin * (1 + 2 * TOLERANCE)))

    with pytest.raises(ModelError) as error:
        check_example(dear, folder)

    assert str(error.value) == (
        f"The model in {folder} does not score its own example as when it was saved, in expected_value, "
        "expected_value_low, expected_value_high, value_if_silent, value_at_stake, value_at_risk, margin, "
        "value_of_resumption, expected_gross_value. Train it again, or roll back."
    )


def test_another_processors_last_digits_pass(model: RetentionModel, folder: Path) -> None:
    dear = replace(model, terms=ValueTerms(margin=model.terms.margin * (1 + TOLERANCE / 10)))

    check_example(dear, folder)


def test_other_tiers_are_noticed(model: RetentionModel, folder: Path) -> None:
    with pytest.raises(ModelError, match="saved, in value_tier"):
        check_example(replace(model, tiers=Tiers((200.0, 100.0))), folder)


def test_a_version_that_kept_the_limits_of_its_tiers_alone_can_still_be_read(
    model: RetentionModel, folder: Path
) -> None:
    content = json.loads((folder / "model.json").read_text())
    content["tier_cuts"] = content.pop("tiers")["cuts"]
    (folder / "model.json").write_text(json.dumps(content))

    assert load_model(folder).tiers == replace(model.tiers, shares=(20, 30, 50))


@pytest.mark.parametrize(("days", "passes"), [(1, True), (2, False), (None, False)])
def test_a_date_may_be_a_day_off_for_it_is_rounded_up(
    model: RetentionModel, folder: Path, days: int | None, passes: bool
) -> None:
    def move(content: dict[str, Any]) -> None:
        dates = content["scores"]["next_purchase_low"]
        dates[0] = days and (date.fromisoformat(dates[0]) + timedelta(days=days)).isoformat()

    edit(folder, move)

    if passes:
        check_example(model, folder)
    else:
        with pytest.raises(ModelError, match="saved, in next_purchase_low"):
            check_example(model, folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.clear(),
        lambda content: content["scores"].clear(),
        lambda content: content["orders"].pop("amount"),
        lambda content: content["scores"].update(unheard_of=[1.0]),
        lambda content: content.update(snapshot_date="soon"),
    ],
)
def test_a_damaged_example_refuses_the_version(
    model: RetentionModel, folder: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    edit(folder, change)

    with pytest.raises(ModelError, match=r"^Version 7 cannot score its own example \([A-Za-z]+\)\. Train it"):
        check_example(model, folder, "Version 7")


def test_a_version_without_an_example_is_refused(model: RetentionModel, folder: Path) -> None:
    (folder / FILE).unlink()

    with pytest.raises(ModelError, match=r"cannot score its own example \(FileNotFoundError\)"):
        check_example(model, folder)


def test_a_model_of_no_date_has_an_example_too(model: RetentionModel, tmp_path: Path) -> None:
    undated = replace(model, clv=replace(model.clv, fitted_at=""))

    write_example(undated, tmp_path)

    check_example(undated, tmp_path)
