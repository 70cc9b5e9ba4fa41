from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ModelError
from features.table.columns import Columns, as_columns
from features.table.history import FEATURES
from training.clv.interval import Uncertain, customer_interval, log_odds
from training.clv.model import snapshot_day
from training.clv.uncertainty import LARGEST_DOUBT, value_scenarios
from training.clv.value import CustomerValues, Future
from training.model.files import FORMAT, load_model, save_model
from training.model.retention_model import RetentionModel
from training.model.score_schema import MODEL_COLUMNS
from training.run import TrainingRun


@pytest.fixture(scope="module")
def table(cdnow_run: TrainingRun) -> pd.DataFrame:
    """Every eleventh customer of CDNOW, as the newest snapshot sees them."""
    columns = ["snapshot_date", "customer_id", *(feature.name for feature in FEATURES)]
    return cdnow_run.newest.table[columns].iloc[::11].reset_index(drop=True)


@pytest.fixture(scope="module")
def scores(cdnow_run: TrainingRun, table: pd.DataFrame) -> pd.DataFrame:
    return cdnow_run.model.score(table)


def test_the_columns_are_those_of_the_contract_in_its_order(
    table: pd.DataFrame, scores: pd.DataFrame
) -> None:
    assert tuple(scores.columns) == MODEL_COLUMNS
    some = ["usual_gap_days", *(name for name in scores if name.startswith("next_purchase"))]
    assert scores.drop(columns=some).notna().all(axis=None)
    # Who bought on one day has no gap; of others it is the time between first and last purchase, shared out.
    assert (scores["usual_gap_days"].isna() == (table["frequency"] == 0)).all()
    again = table[table["frequency"] > 0]
    shared = again["recency"] / again["frequency"]
    np.testing.assert_allclose(scores.loc[again.index, "usual_gap_days"], shared)


def test_a_saved_model_gives_the_same_scores_to_the_last_digit(
    cdnow_run: TrainingRun, table: pd.DataFrame, scores: pd.DataFrame, tmp_path: Path
) -> None:
    save_model(cdnow_run.model, tmp_path)

    again = load_model(tmp_path).score(table)

    pd.testing.assert_frame_equal(again, scores, check_exact=True)
    assert {file.name for file in tmp_path.iterdir()} == {
        "model.json",
        "booster.txt",
        "frequency.txt",
        "price.txt",
        "example.json",
    }


def test_a_long_list_is_scored_in_parts_that_give_the_same_to_the_last_digit(
    cdnow_run: TrainingRun, table: pd.DataFrame, scores: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.model.retention_model._LIST_ROWS", 500)

    in_parts = cdnow_run.model.score(table)

    pd.testing.assert_frame_equal(in_parts, scores, check_exact=True)


def test_a_customer_alone_gets_the_scores_of_the_list(
    cdnow_run: TrainingRun, table: pd.DataFrame, scores: pd.DataFrame
) -> None:
    clv = cdnow_run.model.clv
    for place in range(0, len(table), 131):
        forgetful = replace(cdnow_run.model, clv=replace(clv, purchases=replace(clv.purchases)))
        alone = forgetful.score(table.iloc[[place]])
        listed = scores.iloc[[place]].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, listed, check_exact=True)


def test_where_p_is_bgnbds_own_value_is_margin_times_purchases_ahead(
    cdnow_run: TrainingRun, table: pd.DataFrame
) -> None:
    model = replace(cdnow_run.model, spend=None)
    columns = as_columns(table)
    described = pd.DataFrame(columns | model.clv.predict(columns, model.terms.horizon_days))

    money = model.valuation.money(as_columns(described), described["p0"].to_numpy())

    future = Future.of(model.terms, model.clv.intensity, snapshot_day(as_columns(described)))
    x, _, T = model.clv.histories(as_columns(described))
    ahead = described["p_alive"] * model.clv.purchases.purchases_if_alive(x, T, future.horizon, future.now)
    unit = model.terms.margin * described["spend_per_purchase"]
    assert money["expected_value"] == pytest.approx((unit * ahead).to_numpy(), rel=1e-9)
    assert money["expected_purchases"] == pytest.approx(described["expected_purchases"].to_numpy(), rel=1e-9)


def test_value_at_risk_is_churn_times_stake_and_never_churn_times_expected_value(
    scores: pd.DataFrame,
) -> None:
    at_risk = scores["churn_probability"] * scores["value_at_stake"]

    assert (scores["value_at_risk"] == at_risk).all()
    assert not np.allclose(scores["value_at_risk"], scores["churn_probability"] * scores["expected_value"])


def test_tiers_cut_the_training_population_at_a_fifth_and_seven_tenths(cdnow_run: TrainingRun) -> None:
    shares = cdnow_run.scores["value_tier"].value_counts(normalize=True)

    assert shares["vip"] == pytest.approx(0.2, abs=0.01)
    assert shares["medium"] == pytest.approx(0.5, abs=0.01)


def test_the_next_purchase_lies_ahead_and_is_empty_where_never_is_likelier(scores: pd.DataFrame) -> None:
    known = scores["next_purchase_date"].notna()

    assert (scores["next_purchase_date"][known] >= scores["snapshot_date"][known]).all()
    assert (scores["next_purchase_low"][known] <= scores["next_purchase_date"][known]).all()
    ends = known & scores["next_purchase_high"].notna()
    assert (scores["next_purchase_high"][ends] >= scores["next_purchase_date"][ends]).all()
    assert known.any() and not known.all()


def test_a_next_purchase_lies_in_the_churn_window_where_the_churn_probability_says_so(
    scores: pd.DataFrame,
) -> None:
    ends = zip(scores["snapshot_date"], scores["horizon_days"], strict=True)
    closes = np.array([day + timedelta(days=int(days)) for day, days in ends])

    for name, level in (("low", 0.1), ("date", 0.5), ("high", 0.9)):
        day = scores[f"next_purchase_{name}"]
        within = np.array([known is not None and known < end for known, end in zip(day, closes, strict=True)])
        assert (within == (scores["churn_probability"] <= 1 - level)).all()
        assert within.any() and not within.all()


def test_an_empty_table_has_no_scores(cdnow_run: TrainingRun, table: pd.DataFrame) -> None:
    assert cdnow_run.model.score(table.head(0)).empty


def test_a_version_of_other_features_is_refused(cdnow_run: TrainingRun, tmp_path: Path) -> None:
    save_model(cdnow_run.model, tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    content["features"] = content["features"][:-1]
    (tmp_path / "model.json").write_text(json.dumps(content))

    with pytest.raises(ModelError, match="trained by another release"):
        load_model(tmp_path)


@pytest.mark.parametrize("damage", ["", "{", "[]", f'{{"format": {FORMAT}}}'])
def test_a_damaged_version_is_named(cdnow_run: TrainingRun, tmp_path: Path, damage: str) -> None:
    save_model(cdnow_run.model, tmp_path)
    (tmp_path / "model.json").write_text(damage)

    with pytest.raises(ModelError, match=f"The model in {tmp_path} cannot be read"):
        load_model(tmp_path)


@pytest.mark.parametrize("part", ["booster.txt", "frequency.txt", "price.txt"])
def test_a_booster_that_was_cut_off_or_altered_never_reaches_lightgbm(
    cdnow_run: TrainingRun, tmp_path: Path, part: str
) -> None:
    save_model(cdnow_run.model, tmp_path)
    text = (tmp_path / part).read_text()
    assert text

    for damaged in (text[: len(text) // 2], text.replace("leaf_value=", "leaf_value=1", 1)):
        (tmp_path / part).write_text(damaged)
        with pytest.raises(ModelError, match=f"cannot be read: {part} was changed since it was saved"):
            load_model(tmp_path)


def test_a_doubled_margin_doubles_all_money(cdnow_run: TrainingRun, table: pd.DataFrame) -> None:
    model = cdnow_run.model
    dear = replace(model, terms=replace(model.terms, margin=2 * model.terms.margin))

    once, twice = model.score(table), dear.score(table)

    for column in ("expected_value", "value_if_silent", "value_at_stake", "value_at_risk"):
        assert twice[column].to_numpy() == pytest.approx(2 * once[column].to_numpy())
    assert (twice["expected_spend"] == once["expected_spend"]).all()
    assert math.isclose(twice["churn_probability"].sum(), once["churn_probability"].sum())


def test_the_scores_hold_what_a_plan_takes_from_them(
    cdnow_run: TrainingRun, table: pd.DataFrame, scores: pd.DataFrame
) -> None:
    terms = cdnow_run.model.terms

    assert set(scores["horizon_days"]) == {terms.horizon_days}
    assert set(scores["margin"]) == {terms.margin}
    assert (scores["expected_purchases"] * scores["spend_per_purchase"] == scores["expected_spend"]).all()
    silent = pd.to_datetime(scores["snapshot_date"]) - pd.to_datetime(scores["last_purchase_date"])
    assert silent.dt.days.tolist() == table["days_since_last_purchase"].tolist()


def values_of(model: RetentionModel, columns: Columns) -> CustomerValues:
    """In purchases, as often in the churn window as the model says that buyers buy, and later as it was learnt."""
    described = {**columns, **model.clv.predict(columns, model.terms.horizon_days)}
    assert model.spend is not None
    more = model.spend.frequency.if_active(described) - described["purchases_if_active"]
    return model.clv.values(columns, model.terms, more, model.valuation.later)


def test_without_costs_values_are_the_gross_ones_to_the_last_bit(
    cdnow_run: TrainingRun, table: pd.DataFrame, scores: pd.DataFrame
) -> None:
    model, columns = cdnow_run.model, as_columns(table)
    p, m = scores["churn_probability"].to_numpy(), scores["spend_per_purchase"].to_numpy()

    values, unit = values_of(model, columns), model.terms.margin * m

    assert (scores["expected_value"] == unit * (p * values.silent + (1.0 - p) * values.active)).all()
    assert (scores["value_if_silent"] == unit * values.silent).all()
    assert (scores["value_at_stake"] == unit * (values.won_back - values.silent)).all()
    assert (scores["value_of_resumption"] == unit * values.resumed).all()
    assert (scores["expected_gross_value"] == scores["expected_value"]).all()


def test_the_interval_holds_what_the_models_under_the_residuals_say(
    cdnow_run: TrainingRun, table: pd.DataFrame, scores: pd.DataFrame
) -> None:
    model, columns = cdnow_run.model, as_columns(table)
    p, m = scores["churn_probability"].to_numpy(), scores["spend_per_purchase"].to_numpy()
    values = values_of(model, columns)
    low, high = (scores[f"expected_value_{end}"].to_numpy(float) for end in ("low", "high"))

    plain = model.clv.spend_per_purchase(columns)
    without_spend, without_churn = plain * values.expected(p), m * values.expected(values.p0)
    without_later = m * values.without_later.expected(p)

    assert np.abs(np.log(m / plain)).max() > 0.3  # the residuals do change something
    odds = log_odds(values.expected(p), values.ceiling)
    far = np.abs(odds - log_odds(values.expected(values.p0), values.ceiling)) > LARGEST_DOUBT
    assert 0 < far.mean() < 0.1  # of these, windows have refuted what p0 says
    for value in (without_spend, np.where(far, m * values.expected(p), without_churn), without_later):
        inside = (low <= model.terms.margin * value) & (model.terms.margin * value <= high)
        assert inside.all()
    expected = scores["expected_value"].to_numpy()
    of_parameters, _ = customer_interval(
        expected,
        Uncertain(
            expected,
            model.terms.margin * m * values.ceiling,
            value_scenarios(model.clv, columns, p, model.terms),
            model.valuation.level_deviation,
        ),
    )
    assert (low <= of_parameters).all()


def test_costs_are_taken_off_values_and_nothing_else(
    cdnow_run: TrainingRun, table: pd.DataFrame, scores: pd.DataFrame
) -> None:
    some, before = table.iloc[::10].reset_index(drop=True), scores.iloc[::10].reset_index(drop=True)
    costs = {"cost_per_order": 3.0, "cost_per_day": 0.1, "bad_debt_rate": 0.02, "inactivity_days": 60}
    costly = replace(cdnow_run.model, terms=replace(cdnow_run.model.terms, **costs))  # type: ignore[arg-type]

    after = costly.score(some)

    money = [
        "expected_value",
        "expected_value_low",
        "expected_value_high",
        "value_if_silent",
        "value_at_stake",
    ]
    moved = [*money, "value_at_risk", "value_of_resumption", "value_tier", "stage", "reasons", *costs]
    pd.testing.assert_frame_equal(after.drop(columns=moved), before.drop(columns=moved), check_exact=True)
    assert (after["expected_value"] < before["expected_value"]).all()
    assert (after["expected_value_low"] <= after["expected_value"]).all()
    assert (after["expected_value"] <= after["expected_value_high"]).all()
    losses = after["expected_value"] < 0
    assert 0.1 < losses.mean() < 0.9
    assert (
        after.loc[losses, "reasons"].str[-1].str.fullmatch(r"costs .* in 12 months to keep, brings .*")
    ).all()
    assert not after.loc[~losses, "reasons"].str[-1].str.startswith("costs").any()
    assert {name: after[name].iloc[0] for name in costs} == costs


def test_a_customer_alone_gets_the_net_values_of_the_list(
    cdnow_run: TrainingRun, table: pd.DataFrame
) -> None:
    terms = replace(cdnow_run.model.terms, cost_per_order=2.0, cost_per_day=0.01)
    costly, some = replace(cdnow_run.model, terms=terms), table.iloc[::40].reset_index(drop=True)
    listed = costly.score(some)

    for place in range(0, len(some), 20):
        clv = cdnow_run.model.clv
        forgetful = replace(costly, clv=replace(clv, purchases=replace(clv.purchases)))
        alone = forgetful.score(some.iloc[[place]])
        pd.testing.assert_frame_equal(alone, listed.iloc[[place]].reset_index(drop=True), check_exact=True)


def test_a_version_keeps_its_costs_and_one_from_before_there_were_any_is_gross(
    cdnow_run: TrainingRun, table: pd.DataFrame, scores: pd.DataFrame, tmp_path: Path
) -> None:
    costly = replace(cdnow_run.model, terms=replace(cdnow_run.model.terms, cost_per_day=0.01))
    save_model(costly, tmp_path / "costly")
    save_model(cdnow_run.model, tmp_path / "old")
    content = json.loads((tmp_path / "old" / "model.json").read_text())
    for name in ("cost_per_order", "cost_per_day", "bad_debt_rate", "inactivity_days"):
        del content["terms"][name]
    (tmp_path / "old" / "model.json").write_text(json.dumps(content))

    old = load_model(tmp_path / "old")

    assert load_model(tmp_path / "costly").terms == costly.terms
    assert old.terms == cdnow_run.model.terms
    assert old.terms.inactivity_days == old.card.dormant_after_days
