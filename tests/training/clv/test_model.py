"""The fitted value model: every published number, the failures lifetimes has, and what is said of them."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import astuple, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter

from features.datasets import cdnow_sample
from features.errors import FitError
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.columns import as_columns
from features.table.history import PurchaseHistory
from training.clv.bgnbd import BGNBD
from training.clv.fitting import fit_clv
from training.clv.gammagamma import EmpiricalSpend, GammaGamma
from training.clv.model import CLVModel, histories
from training.clv.purchase_models import PURCHASE_MODELS
from training.clv.value import ValueTerms


def feature_table(rows: list[tuple[int, int, int, float]]) -> pd.DataFrame:
    """Return a feature table of (frequency, recency, T, monetary_value) rows, without refunds."""
    table = pd.DataFrame(rows, columns=["frequency", "recency", "T", "monetary_value"])
    spend = (table["frequency"] + 1) * table["monetary_value"].where(table["frequency"] > 0, 20.0)
    return table.assign(gross_spend=spend, net_spend=spend)


def predicted(model: CLVModel, table: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """Return a model's predictions with the table's index."""
    return pd.DataFrame(model.predict(as_columns(table), horizon_days), index=table.index)


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    """The published summary of 2,357 CDNOW customers as a feature table: 39 weeks, times in days."""
    name = "cdnow_customers_summary_with_transactions.csv"
    path = next(file for file in importlib.metadata.files("lifetimes") or [] if file.name == name).locate()
    rows = pd.read_csv(str(path))
    return pd.DataFrame(
        {
            "frequency": rows["x"],
            "recency": rows["t_x"] * 7,
            "T": rows["T"] * 7,
            "monetary_value": rows["zbar"],
            "gross_spend": 1.0,
            "net_spend": 1.0,
        }
    )


@pytest.fixture(scope="module")
def fitted(summary: pd.DataFrame) -> dict[str, CLVModel]:
    """Each purchase model, fitted to the published summary."""
    return {name: fit_clv(summary, model=name) for name in PURCHASE_MODELS}


@pytest.fixture(scope="module")
def sample_log() -> TransactionLog:
    """The orders of the same 2,357 customers, 18 months."""
    return validate(cdnow_sample())


def log_scale_deviations(model: CLVModel) -> np.ndarray:
    """Standard errors of the log-parameters."""
    axes = np.array(model.purchase_axes)
    return np.sqrt(np.diag(axes.T @ axes))


def test_bgnbd_has_the_published_parameters(fitted: dict[str, CLVModel]) -> None:
    # Fader, Hardie, Lee (2005), table 2
    model = fitted["bgnbd"]

    parameters = astuple(model.purchases)
    assert tuple(round(number, 3) for number in parameters) == (0.243, 4.414, 0.793, 2.426)
    assert round(model.log_likelihood, 1) == -9582.4
    assert model.notes == ()


def test_bgnbd_has_the_published_standard_errors(fitted: dict[str, CLVModel]) -> None:
    parameters = np.array(astuple(fitted["bgnbd"].purchases))

    # of θ: that of ln θ, times θ
    errors = log_scale_deviations(fitted["bgnbd"]) * parameters

    np.testing.assert_allclose(errors, [0.0126, 0.3782, 0.1857, 0.7054], rtol=0.005)


def test_mbgnbd_has_the_published_parameters(fitted: dict[str, CLVModel]) -> None:
    parameters = astuple(fitted["mbgnbd"].purchases)

    assert tuple(round(number, 3) for number in parameters) == (0.525, 6.183, 0.891, 1.614)
    assert round(fitted["mbgnbd"].log_likelihood, 1) == -9582.1


def test_paretonbd_has_the_published_parameters(fitted: dict[str, CLVModel]) -> None:
    parameters = astuple(fitted["paretonbd"].purchases)

    np.testing.assert_allclose(parameters, [0.553, 10.578, 0.606, 11.669], atol=0.0015)
    assert round(fitted["paretonbd"].log_likelihood, 1) == -9595.0


def test_gamma_gamma_has_the_published_parameters(fitted: dict[str, CLVModel]) -> None:
    # Fader and Hardie's note 025 prints p 6.25, q 3.74, v 15.44; the maximum of its likelihood is at v 15.447
    spend = fitted["bgnbd"].spend

    assert isinstance(spend, GammaGamma)
    assert (round(spend.p, 2), round(spend.q, 2)) == (6.25, 3.74)
    assert spend.v == pytest.approx(15.44, abs=0.01)
    assert fitted["bgnbd"].n_repeat_buyers == 946


def test_the_first_ten_customers_are_expected_to_spend_what_was_published(
    fitted: dict[str, CLVModel], summary: pd.DataFrame
) -> None:
    spend = predicted(fitted["bgnbd"], summary.head(10), 91)["spend_per_purchase"]

    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    np.testing.assert_allclose(spend, published, atol=0.01)


def test_our_own_rfm_is_fitted_as_computed_independently(sample_log: TransactionLog) -> None:
    # one day more in T than the published summary, for a snapshot is the day after
    with PurchaseHistory(sample_log) as history:
        model = fit_clv(history.features(Snapshot(date(1997, 10, 1))))

    parameters = astuple(model.purchases)
    np.testing.assert_allclose(parameters, [0.2417, 4.394, 0.8145, 2.477], atol=0.0005)
    assert model.fitted_at == "1997-10-01"


@pytest.mark.parametrize(("name", "error"), [("bgnbd", 0.786), ("mbgnbd", 0.765)])
def test_the_holdout_of_39_weeks_is_forecast_as_well_as_computed(
    fitted: dict[str, CLVModel],
    summary: pd.DataFrame,
    sample_log: TransactionLog,
    name: str,
    error: float,
) -> None:
    actual = holdout_purchases(sample_log)

    forecast = fitted[name].predict(as_columns(summary), 39 * 7)["expected_purchases"]

    # BG/NBD: .78546 at the maximum, .78561 with the parameters as printed, to three digits
    assert float(np.abs(forecast - actual).mean()) == pytest.approx(error, abs=0.0006)


def test_the_naive_rate_forecasts_worse(summary: pd.DataFrame, sample_log: TransactionLog) -> None:
    naive = (summary["frequency"] / summary["T"] * 39 * 7).to_numpy()

    assert round(float(np.abs(naive - holdout_purchases(sample_log)).mean()), 3) == 1.024


def holdout_purchases(log: TransactionLog) -> np.ndarray:
    """Purchase days of each of the sample's customers from 1997-10-01 to 1998-06-30."""
    orders = log.table.select(["customer_id", "ordered_on"]).to_pandas().drop_duplicates()
    later = orders[pd.to_datetime(orders["ordered_on"]) >= "1997-10-01"]
    counts = later.groupby("customer_id").size()
    return counts.reindex(sorted(orders["customer_id"].unique()), fill_value=0).to_numpy()


def test_known_parameters_are_recovered_from_a_simulated_log(shop_log: TransactionLog) -> None:
    with PurchaseHistory(shop_log) as history:
        model = fit_clv(history.features(Snapshot.after(shop_log.last_day)))

    truth = np.log([0.6, 6.0, 0.8, 2.4])
    fit = np.log([getattr(model.purchases, name) for name in ("r", "alpha", "a", "b")])
    assert (np.abs(fit - truth) < 3 * log_scale_deviations(model)).all()
    assert isinstance(model.spend, GammaGamma)
    assert model.spend.population_mean == pytest.approx(6.0 * 15.0 / 3.0, rel=0.1)


def test_a_log_in_days_is_fitted_as_its_distinct_histories_on_a_grid_and_then_exactly(
    sample_log: TransactionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PurchaseHistory(sample_log) as history:
        table = history.features(Snapshot(date(1998, 7, 1)))
    at_once = fit_clv(table)

    monkeypatch.setattr("training.clv.fitting._FEW_HISTORIES", 500)  # now on a grid of weeks first
    by_grid = fit_clv(table)

    for name in ("r", "alpha", "a", "b"):
        assert getattr(by_grid.purchases, name) == pytest.approx(getattr(at_once.purchases, name), rel=1e-5)
    assert by_grid.log_likelihood == pytest.approx(at_once.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("name", ["bgnbd", "mbgnbd"])
@pytest.mark.parametrize("many", [5_000, 100], ids=["at once", "first on a coarser copy"])
def test_the_fit_is_that_of_lifetimes(
    sample_log: TransactionLog, monkeypatch: pytest.MonkeyPatch, name: str, many: int
) -> None:
    with PurchaseHistory(sample_log) as history:
        table = history.features(Snapshot(date(1998, 7, 1)))
    x, t_x, T = histories(as_columns(table))
    span, fitter = T.max(), {"bgnbd": BetaGeoFitter, "mbgnbd": ModifiedBetaGeoFitter}[name]
    theirs = fitter().fit(x, t_x / span, T / span).params_
    repeats = table[table["monetary_value"] > 0]
    mean = repeats["monetary_value"].mean()
    of_spend = GammaGammaFitter().fit(repeats["frequency"], repeats["monetary_value"] / mean).params_

    monkeypatch.setattr("training.clv.fitting._FEW_HISTORIES", many)
    monkeypatch.setattr("training.clv.fitting._MANY_REPEATERS", many)
    ours = fit_clv(table, model=name)

    in_weeks = theirs * [span if each == "alpha" else 1.0 for each in theirs.index]
    in_money = of_spend * [mean if each == "v" else 1.0 for each in of_spend.index]
    assert {each: getattr(ours.purchases, each) for each in in_weeks.index} == pytest.approx(
        in_weeks.to_dict(), rel=1e-5
    )
    assert {each: getattr(ours.spend, each) for each in in_money.index} == pytest.approx(
        in_money.to_dict(), rel=1e-5
    )
    assert ours.notes == ()


def test_a_young_log_on_which_lifetimes_fails_is_fitted_within_bounds(stayworth_data: Path) -> None:
    # Online Retail II at 2010-06-17: the maximum lies at a = 0, for nobody can be seen to have left yet
    orders = pq.read_table(stayworth_data / "online_retail_II_orders.parquet")
    log = validate(orders.rename_columns({"ts": "ordered_at"}))
    with PurchaseHistory(log) as history:
        table = history.features(Snapshot(date(2010, 6, 17)))

    model = fit_clv(table)

    assert any("maximised within bounds" in note for note in model.notes)
    assert any("edge of the bounds" in note for note in model.notes)
    found = predicted(model, table, 90)
    assert np.isfinite(found.to_numpy()).all()
    assert found["p0"].between(0, 1).all()
    # in the 90 days that followed they bought on .98 days each
    assert found["expected_purchases"].mean() == pytest.approx(0.98, rel=0.25)


def test_customers_who_never_leave_are_fitted_within_bounds() -> None:
    # a Poisson process a customer, no dropout: lifetimes drives a towards 0
    rng = np.random.default_rng(3)
    rows = []
    for rate in rng.gamma(2.0, 0.05, 400):
        days = np.flatnonzero(rng.random(200) < rate) + 1
        rows.append((len(days), int(days.max(initial=0)), 201, 20.0 + 10 * rng.random()))

    model = fit_clv(feature_table(rows))

    assert isinstance(model.purchases, BGNBD)
    assert model.purchases.a / (model.purchases.a + model.purchases.b) < 0.001
    assert "BG/NBD: lifetimes found no maximum" in model.notes[0]


def test_a_table_without_repeat_buyers_says_what_to_do() -> None:
    table = feature_table([(0, 0, 30, 0.0), (0, 0, 60, 0.0)]).assign(snapshot_date=date(2024, 5, 1))

    with pytest.raises(
        FitError, match="None of 2 customers has bought on a second day before 2024-05-01.*Use a log"
    ):
        fit_clv(table)


@pytest.mark.parametrize("rows", [[(3, 60, 90, 20.0)], [(1, 1, 2, 20.0), (0, 0, 1, 0.0)]])
@pytest.mark.parametrize("name", PURCHASE_MODELS)
def test_one_repeat_buyer_is_enough_for_a_model_that_warns(
    rows: list[tuple[int, int, int, float]], name: str
) -> None:
    table = feature_table(rows)

    model = fit_clv(table, model=name)

    customers = "1 customer" if len(rows) == 1 else f"{len(rows)} customers"
    assert model.notes[0] == f"Only 1 of {customers} bought on a second day: the fit is a guess."
    assert np.isfinite(predicted(model, table, 90).to_numpy()).all()
    assert (model.values(as_columns(table), ValueTerms()).at_stake > 0).all()


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(FitError, match="'nbd'.*bgnbd, mbgnbd, paretonbd"):
        fit_clv(feature_table([(1, 5, 9, 20.0)]), model="nbd")


def test_spend_without_a_finite_mean_falls_back_to_what_was_seen(summary: pd.DataFrame) -> None:
    # Pareto tails with exponent .6 have no mean: Gamma-Gamma's q comes out below 1
    rng = np.random.default_rng(5)
    wild = summary.assign(monetary_value=(1 - rng.random(len(summary))) ** (-1 / 0.6))

    model = fit_clv(wild)

    repeaters = wild["frequency"] > 0
    assert isinstance(model.spend, EmpiricalSpend)
    assert model.spend.mean == pytest.approx(wild.loc[repeaters, "monetary_value"].mean())
    assert any("no finite mean spend" in note for note in model.notes)
    spend = predicted(model, wild, 90)["spend_per_purchase"]
    assert (spend[repeaters] == wild.loc[repeaters, "monetary_value"]).all()


def test_orders_that_are_all_free_are_expected_to_stay_free(summary: pd.DataFrame) -> None:
    model = fit_clv(summary.assign(monetary_value=0.0, gross_spend=0.0, net_spend=0.0))

    spend = predicted(model, summary.assign(monetary_value=0.0), 90)["spend_per_purchase"]
    assert (spend == 0).all()
    assert any("above zero" in note for note in model.notes)


def test_a_repeat_buyer_of_free_orders_gets_the_formula(summary: pd.DataFrame) -> None:
    table = summary.copy()
    table.loc[0, "monetary_value"] = 0.0

    model = fit_clv(table)

    spend = predicted(model, table, 90)["spend_per_purchase"]
    p, q, v = model.spend.p, model.spend.q, model.spend.v
    assert table.loc[0, "frequency"] == 2
    assert spend[0] == pytest.approx(p * v / (2 * p + q - 1))


def test_refunds_lower_every_expected_spend_by_their_share(summary: pd.DataFrame) -> None:
    whole = fit_clv(summary)
    refunded = fit_clv(summary.assign(gross_spend=100.0, net_spend=90.0))

    columns = as_columns(summary)
    assert refunded.net_ratio == pytest.approx(0.9)
    np.testing.assert_allclose(
        refunded.spend_per_purchase(columns), 0.9 * whole.spend_per_purchase(columns), rtol=1e-12
    )


def test_refunds_above_sales_leave_no_spend_and_are_noted(summary: pd.DataFrame) -> None:
    model = fit_clv(summary.assign(gross_spend=100.0, net_spend=-10.0))

    assert (model.spend_per_purchase(as_columns(summary)) == 0).all()
    assert any("Refunds" in note for note in model.notes)


def test_spend_that_grows_with_frequency_is_noted(summary: pd.DataFrame) -> None:
    rng = np.random.default_rng(2)
    linked = summary.assign(monetary_value=summary["frequency"] * 10.0 + rng.gamma(2, 5, len(summary)))

    model = fit_clv(linked)

    assert model.correlation is not None and model.correlation > 0.9
    assert any("correlated (+0.9" in note for note in model.notes)


def test_one_minus_p_alive_is_no_churn_score(fitted: dict[str, CLVModel], summary: pd.DataFrame) -> None:
    one_time = summary[summary["frequency"] == 0]

    found = predicted(fitted["bgnbd"], one_time, 91)

    assert (found["p_alive"] == 1).all()
    assert found["p0"].min() > 0.8


@pytest.mark.parametrize("name", PURCHASE_MODELS)
def test_a_model_survives_json_to_the_last_digit(
    fitted: dict[str, CLVModel], summary: pd.DataFrame, name: str
) -> None:
    model = fitted[name]

    back = CLVModel.from_dict(json.loads(json.dumps(model.to_dict())))

    assert back == model
    pd.testing.assert_frame_equal(
        predicted(back, summary, 90), predicted(model, summary, 90), check_exact=True
    )


@pytest.mark.parametrize("name", PURCHASE_MODELS)
def test_predictions_have_the_same_bits_alone_and_in_any_company(
    fitted: dict[str, CLVModel], summary: pd.DataFrame, name: str
) -> None:
    def predict(table: pd.DataFrame) -> pd.DataFrame:
        forgetful = replace(fitted[name], purchases=replace(fitted[name].purchases))
        return predicted(forgetful, table, 90)

    together = predict(summary)
    shuffled = summary.sample(frac=1.0, random_state=1)

    pd.testing.assert_frame_equal(predict(shuffled).sort_index(), together, check_exact=True)
    for place in range(0, len(summary), 97):
        row = slice(place, place + 1)
        pd.testing.assert_frame_equal(predict(summary.iloc[row]), together.iloc[row], check_exact=True)


def test_the_median_of_the_next_purchase_is_in_days(
    fitted: dict[str, CLVModel], summary: pd.DataFrame
) -> None:
    model, columns = fitted["bgnbd"], as_columns(summary)

    days = model.next_purchase_days(columns, model.predict(columns, 90)["p0"], 90)[0.5]

    weeks = model.purchases.next_purchase(*histories(columns), np.zeros(len(days)))  # even odds
    np.testing.assert_allclose(days, weeks * 7, rtol=1e-9)
    assert np.isnan(days[model.purchases.p_alive(*histories(columns)) <= 0.5]).all()
