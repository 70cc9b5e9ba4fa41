"""The tournament: known simulated truths, and a published experiment where doctrine fails both ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import StayworthError
from training.experiments.past_experiment import TournamentSettings, read_experiment
from training.experiments.tournament import AT_RANDOM, _compared, tournament


def _experiment(seed: int, n: int, effect_of: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = pd.DataFrame({"active": rng.random(n), "young": rng.random(n)})
    treated = rng.random(n) < 0.5
    lift = {"young": 0.3 * features["young"], "nobody": 0.0 * features["young"]}[effect_of]
    outcome = rng.random(n) < 0.1 + 0.4 * features["active"] + treated * lift
    return features, treated, outcome.to_numpy()


def test_uplift_wins_where_the_effect_is_not_where_the_response_is() -> None:
    found = tournament(*_experiment(1, 12_000, "young"))

    assert found.winner in ("uplift (T)", "uplift (X)")
    assert "response" not in found.level


def test_a_contact_that_does_nothing_makes_no_difference() -> None:
    found = tournament(*_experiment(2, 3000, "nobody"))

    assert found.winner is None
    assert found.verdict().startswith("No difference")


def _false_winners(campaigns: int, n: int) -> int:
    experiments = (_experiment(100 + seed, n, "nobody") for seed in range(campaigns))
    return sum(tournament(*each, value=each[0]["young"]).winner is not None for each in experiments)


@pytest.mark.soak
def test_of_experiments_without_effect_few_have_a_winner() -> None:
    assert _false_winners(300, 3000) <= 21  # 7%; judged one ranking at a time, 29%


def test_the_best_of_many_rankings_by_lot_rarely_wins() -> None:
    # 400 experiments whose five rankings know nothing: judged one at a time, one in four would have a winner.
    rng = np.random.default_rng(3)
    names, errors = [AT_RANDOM, "a", "b", "c", "d", "e"], np.array([0.0, 1, 1, 1, 2, 0.5])

    winners = [
        _compared(
            {name: rng.random(200) for name in names},
            qini := errors * rng.normal(size=6),
            qini + errors * rng.normal(size=(400, 6)),
            rng.normal(size=200),
            0.3,
        ).winner
        for _ in range(400)
    ]

    assert 0.02 <= np.mean([winner is not None for winner in winners]) <= 0.07


def test_gain_counts_money_less_cost_for_those_contacted() -> None:
    found = tournament(
        *_experiment(1, 6000, "young"), outcome_value=10, contact_cost=1, contacted_share=0.2
    ).table()
    gain = found.set_index("policy")

    # The mean lift is .15: 10 · .15 − 1; the top fifth by lift has up to .27.
    assert gain.loc["everybody", "gain_per_contact"] == pytest.approx(0.5, abs=0.25)
    assert 0.8 < gain.loc["uplift (T)", "gain_per_contact"] < 1.9
    assert gain.loc["nobody", "gain_per_customer"] == 0
    assert gain.loc["uplift (T)", "gain_per_customer"] == pytest.approx(
        0.2 * gain.loc["uplift (T)", "gain_per_contact"]
    )


def test_a_few_dozen_customers_are_no_experiment() -> None:
    with pytest.raises(StayworthError, match="needs 100 of each"):
        tournament(*_experiment(1, 150, "young"))


@pytest.fixture(scope="module")
def hillstrom(stayworth_data: Path) -> Path:
    path = stayworth_data / "hillstrom.csv.gz"
    if not path.exists():
        pytest.skip(f"no Hillstrom experiment in {stayworth_data}")
    return path


def _arm(path: Path, arm: str) -> tuple[pd.DataFrame, pd.Series, pd.Series, pd.Series]:
    settings = TournamentSettings(
        experiment=path, treatment="segment", outcome="visit", contacted=[arm], control="No E-Mail"
    )
    table, treated = read_experiment(settings)
    features = table.drop(columns=["segment", "visit", "conversion", "spend"])
    return features, treated, table["visit"], table["history"]


@pytest.mark.soak
def test_the_women_s_mailing_is_won_by_uplift(hillstrom: Path) -> None:
    features, treated, visit, value = _arm(hillstrom, "Womens E-Mail")

    found = tournament(features, treated, visit, value=value)

    qini = found.table().set_index("policy")["qini"]
    assert found.winner in ("uplift (T)", "uplift (X)")
    assert qini[found.winner] == pytest.approx(0.062, abs=0.01)
    assert qini["response"] == pytest.approx(-0.007, abs=0.01)


@pytest.mark.soak
def test_the_men_s_mailing_is_won_by_plain_response(hillstrom: Path) -> None:
    features, treated, visit, value = _arm(hillstrom, "Mens E-Mail")

    found = tournament(features, treated, visit, value=value)

    qini = found.table().set_index("policy")["qini"]
    assert found.winner == "response"
    assert qini["response"] == pytest.approx(0.023, abs=0.01)
    assert qini["uplift (T)"] == pytest.approx(0.013, abs=0.01)


def test_a_word_that_the_treatment_column_never_says_is_named(tmp_path: Path) -> None:
    path = tmp_path / "past.csv"
    path.write_text("arm,visit\nmail,1\nnone,0\n", encoding="utf-8")
    settings = TournamentSettings(experiment=path, treatment="arm", outcome="visit", contacted=["mail"])

    with pytest.raises(
        StayworthError, match="No row of 'arm' says '0'; it says 'mail', 'none'. Use --control"
    ):
        read_experiment(settings)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("", "10 of 200 customers have no 'visit'. Where nothing happened, write 0"),
        ("none", "holds 'none', which is no"),
    ],
)
def test_an_outcome_that_many_lack_is_refused(tmp_path: Path, missing: str, message: str) -> None:
    rows = [f"{n % 2},{missing if n < 10 else n % 3}" for n in range(200)]
    (tmp_path / "past.csv").write_text("\n".join(["arm,visit", *rows]) + "\n", encoding="utf-8")
    settings = TournamentSettings(experiment=tmp_path / "past.csv", treatment="arm", outcome="visit")

    with pytest.raises(StayworthError, match=message):
        read_experiment(settings)


def test_the_few_customers_without_an_outcome_are_left_out(tmp_path: Path) -> None:
    rows = [f"{n % 2},{'' if n == 7 else n % 3}" for n in range(200)]
    (tmp_path / "past.csv").write_text("\n".join(["arm,visit", *rows]) + "\n", encoding="utf-8")
    settings = TournamentSettings(experiment=tmp_path / "past.csv", treatment="arm", outcome="visit")

    table, contacted = read_experiment(settings)

    assert (len(table), int(contacted.sum())) == (199, 99)
