"""Bins that several residuals share: each learns what it would have learnt alone."""

from __future__ import annotations

from collections.abc import Sequence

from training.churn.bins import Bins
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import fit_churn
from training.churn.price import fit_price
from training.snapshots.dataset import LabelledSnapshot


def test_residuals_that_share_bins_learn_what_they_would_have_learnt_alone(
    shop_rows: Sequence[LabelledSnapshot],
) -> None:
    rows, shared, learnt = shop_rows[-3:], Bins(), []

    for bins in (shared, None):
        churn = fit_churn(
            rows,
            rounds=5,
            monotone=True,
            calibrator=Calibrator(),
            level=Level(),
            seed=1,
            threads=1,
            bins=bins,
        )
        price = fit_price(rows, Level(), rounds=5, seed=1, threads=1, bins=bins)
        assert churn.booster is not None
        assert price.booster is not None
        learnt.append([churn.booster.text, price.booster.text])

    assert learnt[0] == learnt[1]
