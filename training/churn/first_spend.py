"""Choosing whether Gamma-Gamma counts the first purchase, forward in time.

As published, it knows the spend of repeat purchases alone: who bought once is expected to spend what all do. Where
first purchases are like the later ones, they tell as much, and of everybody; where they are not (a trial, a starter
set), they mislead. Each validation snapshot's model of spend is fitted both ways on what that snapshot sees, and judged
on those who bought in the churn window that followed: by the Tweedie deviance of their money, given how often they
bought, relative to its mean. How often is another model's question, and would be noise in this one.

References
----------
Fader, Hardie, Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, JMR 42(4); Fader, Hardie
(2013), brucehardie.com/notes/025: the model of the spend of repeat purchases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.churn.price import tweedie_deviance
from training.churn.rolling import gains_surely, rolling_splits
from training.snapshots.dataset import LabelledSnapshot, in_form

_TINY = 1e-9
_POWER = 1.2  # of the deviance: that of the money of a window, as of a sum of purchases


def choose_first_spend(rows: Sequence[LabelledSnapshot]) -> tuple[bool, dict[str, float]]:
    """Choose on rolling validation whether the first purchase's spend counts: it has to gain more than noise.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first, closed windows only
        Their models of spend are those of repeat purchases.

    Returns
    -------
    bool, and the mean deviances of both; False where the log affords no split
    """
    valid = [split.valid for split in rolling_splits(rows)]
    if not valid or not all((row.outcomes["spend"] > 0).any() for row in valid):
        return False, {}
    repeats, everything = [], []
    for row in valid:
        counted = in_form(row, replace(row.clv.form, first_spend=True), row.window.horizon_days)
        repeats.append(_deviance(row))
        everything.append(_deviance(counted))
    losses = {
        "spend_of_repeats": float(np.mean([each.mean() for each in repeats])),
        "spend_of_all_purchases": float(np.mean([each.mean() for each in everything])),
    }
    return gains_surely([a - b for a, b in zip(repeats, everything, strict=True)]), losses


def _deviance(row: LabelledSnapshot) -> np.ndarray:
    """Return each buyer's deviance of spend in the window, from purchases made times spend expected per purchase."""
    purchases, spend = row.outcomes["purchases"].to_numpy(), row.outcomes["spend"].clip(lower=0).to_numpy()
    bought = purchases > 0
    spend, expected = spend[bought], (purchases * row.columns["spend_per_purchase"])[bought]
    return tweedie_deviance(
        spend / spend.mean(), np.log(np.maximum(expected / expected.mean(), _TINY)), _POWER
    )
