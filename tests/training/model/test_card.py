"""The training card: written to JSON, read back, and refused where it cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pytest

from features.errors import ModelError
from features.log.terms import LogTerms
from features.log.transactions import TransactionLog
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import ChurnModel
from training.clv.gammagamma import EmpiricalSpend
from training.clv.mbgnbd import MBGNBD
from training.clv.model import CLVModel
from training.clv.value import ValueTerms
from training.model.card import TrainingCard
from training.model.files import load_model, save_model
from training.model.log_summary import LogSummary
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.reference.distribution import CategoryCounts, NumericDistribution
from training.reference.performance import ExpectedPerformance, Performance
from training.reference.reference import Reference, UsualDrift

ERRORS = {"log_loss": 0.01, "calibration_in_the_large": 0.02, "value_ratio": 0.03}


@pytest.fixture
def full_card(training_card: TrainingCard) -> TrainingCard:
    """A card in which every field is set, tuned parameters and reference among them."""
    performance = Performance(900, 0.6, 0.8, 0.5, 0.01, 1.1, 0.5, ERRORS)
    reference = Reference(
        training_card.snapshot,
        {"T": NumericDistribution((-1e-9, 0.0), (0, 3, 4), 1, 120.0), "channel": CategoryCounts({"web": 60})},
        {"T": UsualDrift((0.1,), (0.0,))},
        {"all": ExpectedPerformance(performance, ERRORS)},
        rows=6_919,
    )
    recipe = replace(training_card.recipe, rounds=12, price_rounds=3, tuned={"num_leaves": 8})
    log = replace(
        training_card.log,
        terms=LogTerms("Asia/Tehran", "EUR", "a * b", "status = 'paid'"),
        columns=("order_id", "channel"),
    )
    return replace(
        training_card,
        log=log,
        recipe=recipe,
        notes=("Take care.",),
        contacted_left_out=7,
        reference=reference,
    )


@pytest.fixture
def folder(full_card: TrainingCard, tmp_path: Path) -> Path:
    """The files of a version with that card."""
    clv = CLVModel(MBGNBD(0.5, 6.0, 0.9, 1.6), EmpiricalSpend(20.0))
    churn = ChurnModel(None, Calibrator(), Level(), base_mean=0.0)
    save_model(RetentionModel(churn, clv, ValueTerms(), Tiers((20.0, 5.0)), full_card), tmp_path)
    return tmp_path


def edit_card(folder: Path, **changes: object) -> None:
    """Change fields of a saved card; None removes one."""
    content = json.loads((folder / "model.json").read_text())
    card = content["card"] | changes
    content["card"] = {name: value for name, value in card.items() if value is not None}
    (folder / "model.json").write_text(json.dumps(content))


def test_a_card_comes_back_from_json_as_it_was(full_card: TrainingCard, training_card: TrainingCard) -> None:
    for card in (full_card, training_card):
        written = json.loads(json.dumps(card.to_dict(), allow_nan=False))

        assert TrainingCard.from_dict(written, card.recipe.calibrator) == card


def test_a_log_that_is_read_otherwise_is_told_with_both_ways(
    full_card: TrainingCard, cdnow_log: TransactionLog
) -> None:
    log = replace(cdnow_log, timezone="UTC", currency="USD", amount_expression="a  *  b", where=None)

    zone, currency, where, columns = full_card.log.differences(log, "3")

    assert (zone.name, currency.name, where.name) == ("other-timezone", "other-currency", "other-where")
    assert (
        "currency 'USD', in the log that version 3 learnt from 'EUR'. Use --currency 'EUR'"
        in currency.message
    )
    assert all(finding.fatal for finding in (zone, currency, where))
    assert columns.message.startswith(
        "The log has no order_id, channel, which the log that version 3 learnt from had"
    )
    assert not columns.fatal


@pytest.mark.parametrize(("times", "told"), [(100, True), (3, False)])
def test_amounts_in_another_unit_are_told(cdnow_log: TransactionLog, times: int, told: bool) -> None:
    summary = replace(LogSummary.of(cdnow_log), rows_used=1_000)
    amounts = pc.multiply(cdnow_log.table["amount_cents"], times)
    place = cdnow_log.table.column_names.index("amount_cents")
    raised = replace(cdnow_log, table=cdnow_log.table.set_column(place, "amount_cents", amounts))

    found = [(each.name, each.fatal) for each in summary.differences(raised, "3")]

    assert found == ([("other-unit", True)] if told else [])


def test_columns_that_no_score_hangs_on_are_not_missed(
    full_card: TrainingCard, cdnow_log: TransactionLog
) -> None:
    summary = replace(full_card.log, columns=("order_id", "margin_cents", "quantity"))

    once_a_day = replace(cdnow_log, table=cdnow_log.table.slice(0, 2))

    assert summary.missing_columns(cdnow_log) == ("order_id", "margin")
    assert summary.missing_columns(once_a_day) == ("margin",)


def test_nothing_is_said_of_what_a_card_did_not_keep(
    training_card: TrainingCard, cdnow_log: TransactionLog
) -> None:
    log = replace(cdnow_log, currency="USD", where="amount > 0")

    assert training_card.log.differences(log, "3") == []


def test_the_recipe_gets_the_calibrator_that_the_model_keeps(training_card: TrainingCard) -> None:
    calibrator = Calibrator("platt", slope=1.1, intercept=-0.2)
    card = replace(training_card, recipe=replace(training_card.recipe, calibrator=calibrator))

    written = card.to_dict()

    assert written["recipe"]["calibration"] == "platt"
    assert TrainingCard.from_dict(written, calibrator).recipe == card.recipe


def test_a_card_is_saved_and_loaded_with_its_version(folder: Path, full_card: TrainingCard) -> None:
    assert load_model(folder).card == full_card


def test_a_card_from_before_it_had_a_format_number_is_read(folder: Path, full_card: TrainingCard) -> None:
    edit_card(folder, format=None)

    assert load_model(folder).card == full_card


def test_a_version_trained_without_a_reference_is_read(folder: Path) -> None:
    edit_card(folder, reference=None, contacted_left_out=None)

    card = load_model(folder).card

    assert (card.reference, card.contacted_left_out) == (None, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "its training card has format 2, this release reads 1"),
        ({"snapshot_limit": None}, "its training card lacks 'snapshot_limit'"),
        ({"recipe": {"season": False}}, "its training card lacks 'rounds'"),
        ({"snapshot_date": "soon"}, "'soon' is not a date"),
        ({"reference": {"format": 9}}, "its reference has format 9, and this release reads 1"),
    ],
)
def test_a_card_that_cannot_be_read_is_refused_with_the_reason(
    folder: Path, changes: dict[str, object], reason: str
) -> None:
    edit_card(folder, **changes)

    with pytest.raises(ModelError, match=f"Version 3 cannot be read: {reason}.*Train it again, or roll back"):
        load_model(folder, "Version 3")
