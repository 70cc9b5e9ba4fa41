from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from scipy.special import expit

from features.snapshot import Snapshot
from training.churn.calibration import intercept_of
from training.churn.fit_options import FitOptions
from training.churn.model import base_log_odds
from training.churn.season import Season, season_known_at, season_of
from training.snapshots.dataset import LabelledSnapshot

FIRST = date(2024, 1, 1)


def test_the_intercept_is_that_of_the_same_day_a_year_earlier() -> None:
    days = tuple(date(2010, month, 10).toordinal() for month in (8, 9, 10))
    season = Season(days, (-0.3, -0.5, -0.1), used=True)

    assert season.intercept(Snapshot(date(2011, 9, 10))) == -0.5
    # half way of the 31 days from 10 August: 15 days towards −0.5
    assert season.intercept(Snapshot(date(2011, 8, 25))) == pytest.approx(-0.3 - 0.2 * 15 / 31)


def test_a_date_far_from_every_snapshot_has_no_season() -> None:
    season = Season((date(2010, 9, 10).toordinal(),), (-0.5,), used=True)

    assert season.intercept(Snapshot(date(2011, 9, 26))) == -0.5
    assert season.intercept(Snapshot(date(2011, 10, 1))) == 0.0


def test_a_season_that_has_not_earned_its_place_is_silent() -> None:
    season = Season((date(2010, 9, 10).toordinal(),), (-0.5,), used=False)

    assert season.intercept(Snapshot(date(2011, 9, 10))) == 0.0


def test_intercepts_begin_when_the_log_is_old_enough_to_tell_silence_from_churn(
    shop_rows: list[LabelledSnapshot],
) -> None:
    own = [intercept_of(base_log_odds(row.columns), row.churned) for row in shop_rows]

    season = season_of(shop_rows, own, FitOptions(FIRST, dormant_after_days=200), used=True)

    old = [row for row in shop_rows if (row.snapshot.date - FIRST).days >= 200]
    assert 0 < len(old) < len(shop_rows)
    assert season.days == tuple(row.snapshot.date.toordinal() for row in old)
    shifted = expit(base_log_odds(shop_rows[-1].columns) + season.intercepts[-1])
    assert shifted.mean() == pytest.approx(shop_rows[-1].churned.mean(), abs=1e-6)


def test_at_a_date_only_closed_windows_are_known(shop_rows: list[LabelledSnapshot]) -> None:
    season = season_of(shop_rows, [0.1] * len(shop_rows), FitOptions(FIRST, dormant_after_days=1), used=True)
    target = shop_rows[-1].snapshot

    known = season_known_at(season, shop_rows, target)

    assert 0 < len(known.days) < len(season.days)
    assert all(day + 60 <= target.date.toordinal() for day in known.days)


def test_a_season_comes_back_from_json() -> None:
    season = Season((date(2010, 9, 10).toordinal(),), (float(np.pi),), used=True)

    assert Season.from_dict(json.loads(json.dumps(season.to_dict()))) == season
