from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.special import expit

from features.snapshot import ChurnWindow, Snapshot
from training.churn.base import base_log_odds
from training.churn.fit_options import FitOptions
from training.churn.level import NO_RULE, RULES, SEASON, Level, LevelRule, choose_rule, level_of
from training.churn.price import Price, price_levels, price_missed
from training.churn.recipe import churn_missed
from training.churn.spend import SpendModel, level_deviation
from training.snapshots.dataset import LabelledSnapshot

FIRST = date(2024, 1, 1)
A_WHILE_IN, YEAR_LATER = Snapshot(date(2024, 3, 1)), Snapshot(date(2025, 3, 1))
YEAR_AGO = LevelRule("year_ago")
AT_ONCE = FitOptions(FIRST, dormant_after_days=1)


def test_the_level_of_a_year_before_is_interpolated_between_snapshots() -> None:
    days = tuple(date(2010, month, 10).toordinal() for month in (8, 9, 10))
    level = Level(days, (-0.3, -0.5, -0.1), YEAR_AGO)

    assert level.at(Snapshot(date(2011, 9, 10))) == -0.5
    # half way of the 31 days from 10 August: 15 days towards −0.5
    assert level.at(Snapshot(date(2011, 8, 25))) == pytest.approx(-0.3 - 0.2 * 15 / 31)


def test_a_date_far_from_every_snapshot_has_no_level_of_a_year_before() -> None:
    level = Level((date(2010, 9, 10).toordinal(),), (-0.5,), YEAR_AGO)

    assert level.at(Snapshot(date(2011, 9, 26))) == -0.5
    assert level.at(Snapshot(date(2011, 10, 1))) == 0.0
    assert not level.covers(Snapshot(date(2011, 10, 1)))


def test_half_the_mean_of_the_last_three_windows() -> None:
    level = Level((1, 2, 3, 4), (9.0, 0.1, 0.2, 0.3), LevelRule("recent", 3, 0.5))

    assert level.at(Snapshot(date(2024, 1, 1))) == pytest.approx(0.1)


def test_too_few_windows_for_a_rule_leave_the_level_at_0() -> None:
    level = Level((1, 2), (0.1, 0.2), LevelRule("recent", 3))

    assert level.at(Snapshot(date(2024, 1, 1))) == 0.0


def test_a_rule_that_has_not_earned_its_place_is_silent() -> None:
    level = Level((date(2010, 9, 10).toordinal(),), (-0.5,), NO_RULE)

    assert level.at(Snapshot(date(2011, 9, 10))) == 0.0


def test_levels_begin_when_the_log_is_old_enough_to_tell_silence_from_churn(
    shop_rows: list[LabelledSnapshot],
) -> None:
    level = level_of(shop_rows, churn_missed(shop_rows), FitOptions(FIRST, dormant_after_days=200))

    old = [row for row in shop_rows if (row.snapshot.date - FIRST).days >= 200]
    assert 0 < len(old) < len(shop_rows)
    assert level.days == tuple(row.snapshot.date.toordinal() for row in old)
    shifted = expit(base_log_odds(shop_rows[-1].columns) + level.missed[-1])
    assert shifted.mean() == pytest.approx(shop_rows[-1].churned.mean(), abs=1e-6)


def test_at_a_date_only_closed_windows_are_known(shop_rows: list[LabelledSnapshot]) -> None:
    level = level_of(shop_rows, [0.1] * len(shop_rows), AT_ONCE)
    target = shop_rows[-1].snapshot

    known = level.known_at(shop_rows, target)

    assert 0 < len(known.days) < len(level.days)
    assert all(day + 60 <= target.date.toordinal() for day in known.days)


def _chosen(rows: list[LabelledSnapshot], missed: list[float]) -> tuple[LevelRule, dict[str, float]]:
    return choose_rule(
        rows,
        level_of(rows, missed, AT_ONCE),
        lambda place, shift: np.array([(missed[place] - shift) ** 2]),
        noise=0.0025,
    )


def test_a_level_that_stays_is_put_back(shop_rows: list[LabelledSnapshot]) -> None:
    rule, gains = _chosen(shop_rows, [0.4] * len(shop_rows))

    assert rule.kind == "recent"
    assert rule.share == 1.0
    assert gains[str(rule)] == pytest.approx(0.16)
    assert set(gains) <= {str(each) for each in RULES}


def test_a_level_that_only_swings_is_rarely_put_back(shop_rows: list[LabelledSnapshot]) -> None:
    swings = np.random.default_rng(1).normal(scale=0.4, size=(40, len(shop_rows)))

    used = [_chosen(shop_rows, row.tolist())[0] != NO_RULE for row in swings]

    assert np.mean(used) <= 0.2


def test_a_gain_within_noise_is_reason_for_a_rule_only_where_it_is_steady(
    shop_rows: list[LabelledSnapshot],
) -> None:
    steady, gains = _chosen(shop_rows, [0.04] * len(shop_rows))
    swinging, _ = _chosen(shop_rows, [0.04, -0.01] * (len(shop_rows) // 2) + [0.04] * (len(shop_rows) % 2))

    assert max(gains.values()) == pytest.approx(0.0016)
    assert (steady.kind, steady.share) == ("recent", 0.5)
    assert swinging == NO_RULE


def test_half_of_the_level_of_a_year_before_is_put_back_once_it_has_helped(
    shop_rows: list[LabelledSnapshot],
) -> None:
    rows = [
        replace(row, snapshot=at, window=ChurnWindow(at, 60))
        for row, at in [(shop_rows[0], A_WHILE_IN), (shop_rows[-1], YEAR_LATER)]
    ]

    alike, unlike = _chosen(rows, [0.03, 0.03]), _chosen(rows, [0.03, -0.03])

    assert alike[0] == SEASON
    assert unlike[0] == NO_RULE


def test_a_level_within_the_chance_of_its_customers_is_no_season(shop_rows: list[LabelledSnapshot]) -> None:
    rows = [
        replace(row, snapshot=at, window=ChurnWindow(at, 60))
        for row, at in [(shop_rows[0], A_WHILE_IN), (shop_rows[-1], YEAR_LATER)]
    ]
    level, chance = level_of(rows, [0.03, 0.03], AT_ONCE), np.random.default_rng(1).normal(size=400)

    # Customers are off by chance, on average by 0.03: with a deviation of 1 its standard error is 0.05, of 0.1 0.005.
    def chosen(deviation: float) -> LevelRule:
        customers = 0.03 + deviation * (chance - chance.mean()) / chance.std()
        return choose_rule(rows, level, lambda _, shift: (customers - shift) ** 2, noise=0.0025)[0]

    assert chosen(1.0) == NO_RULE
    assert chosen(0.1) == SEASON


def test_what_a_window_missed_in_price_has_the_standard_error_of_its_customers(
    shop_rows: list[LabelledSnapshot],
) -> None:
    row = shop_rows[-1]
    spend = row.outcomes["spend"].to_numpy()
    expected = row.outcomes["purchases"].to_numpy() * row.columns["spend_per_purchase"]
    missed = price_missed(row)

    draws = np.random.default_rng(1).integers(len(spend), size=(4000, len(spend)))
    drawn = np.log(spend[draws].sum(axis=1) / expected[draws].sum(axis=1))

    assert missed.mean() == pytest.approx(np.log(spend.sum() / expected.sum()))
    assert missed.std() / np.sqrt(len(spend)) == pytest.approx(drawn.std(), rel=0.05)


def test_prices_that_rise_by_a_fifth_are_missed_by_a_fifth(shop_rows: list[LabelledSnapshot]) -> None:
    row = shop_rows[-1]
    dearer = row.part(np.ones(len(row.table), dtype=bool))
    dearer.outcomes["spend"] = dearer.outcomes["spend"] * 1.2

    before, after = price_levels([row]), price_levels([dearer])

    assert after[0] - before[0] == pytest.approx(np.log(1.2))


def test_windows_predicted_before_they_open_deviate_less_with_a_level_that_holds(
    shop_rows: list[LabelledSnapshot],
) -> None:
    rows = [row.part(np.ones(len(row.table), dtype=bool)) for row in shop_rows]
    for row in rows:
        row.outcomes["spend"] = row.outcomes["spend"] * 2

    prices = Price(level_of(rows, price_levels(rows), AT_ONCE, LevelRule("recent", 1)))
    plain, of_last = (level_deviation(rows, Level(), SpendModel(price=each)) for each in (Price(), prices))

    assert of_last < plain


def test_a_level_comes_back_from_json() -> None:
    level = Level((date(2010, 9, 10).toordinal(),), (float(np.pi),), LevelRule("recent", 3, 0.5))

    assert Level.from_dict(json.loads(json.dumps(level.to_dict()))) == level
