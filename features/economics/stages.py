"""Stages of customers on the loyalty ladder, at any date, from what was known before it.

The first that fits:

==========  ==========================================================================================
lapsed      not active: no purchase day in the inactivity window
lapsing     overdue: silent for longer than their own gaps explain, before three purchase days than 80%
            of all gaps of the log
advocate    somebody whom they referred has bought, and their last answer to NPS is not 0 to 6
loyal       four purchase days or more in the last 365 days
majority    more than half of what they spend on such goods is spent here (``share_of_wallet``)
repeat      two purchase days or more
first-time  one
==========  ==========================================================================================

A lead is a prospect if it is qualified, else a suspect, until it is a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.customer_groups import STAGES
from features.engines.engine import Engine
from features.errors import StayworthError
from features.language import translated
from features.table.columns import Columns
from features.table.purchase_days import PURCHASE_DAYS

if TYPE_CHECKING:  # both read facts, which may be told apart by stages
    from features.economics.periods import Periods
    from features.economics.referrals import Referrals
    from features.economics.surveys import Surveys

LOYAL_PURCHASES, LOYAL_DAYS = 4, 365
GAP_SHARE = 0.8
OWN_GAPS_FROM = 3
"""Purchase days from which a customer's own gaps tell when they are overdue."""

MAJORITY = 0.5
_PLACE = {stage: place for place, stage in enumerate(STAGES)}
_NEVER = 2**31 - 1
_NO_REFERRALS = pa.schema(
    [("referrer_id", pa.string()), ("referred_id", pa.string()), ("referred_on", pa.int32())]
).empty_table()
_NO_ANSWERS = pa.schema(
    [("customer_id", pa.string()), ("kind", pa.string()), ("answered", pa.int32()), ("score", pa.int64())]
).empty_table()

# A purchase day with what was known of the customer then, and the boundaries at which it is their last one.
_SPELLS = f"""WITH known AS (
  SELECT customer, day, row_number() OVER in_turn AS days, first_value(day) OVER in_turn AS first_day,
    lag(day, {LOYAL_PURCHASES - 1}) OVER in_turn AS loyal_since, lead(day) OVER in_turn AS next_day,
    CAST(sum(CAST(gap_days AS BIGINT) * gap_days) OVER so_far AS BIGINT) AS gap_squares,
    max(gap_days) OVER so_far AS max_gap
  FROM {PURCHASE_DAYS}
  WHERE orders > 0
  WINDOW in_turn AS (PARTITION BY customer ORDER BY day),
    so_far AS (PARTITION BY customer ORDER BY day ROWS UNBOUNDED PRECEDING)
),
placed AS (
  SELECT known.*, bought.period + 1 AS from_boundary, calendar.period AS to_boundary, days - 1 AS gaps,
    known.day - first_day AS total_gap
  FROM known
  JOIN calendar AS bought ON bought.day = known.day
  JOIN calendar ON calendar.day = least(known.day + {{inactivity}}, coalesce(next_day, {{end}}), {{end}})
  WHERE calendar.period > bought.period
)
SELECT customer, day, CAST(days AS INTEGER) AS days, loyal_since, from_boundary, to_boundary,
  CASE WHEN days >= {OWN_GAPS_FROM} THEN greatest(
    total_gap / (1e0 * gaps) + 2 * sqrt((gaps * gap_squares - total_gap * total_gap) / (1e0 * gaps * (gaps - 1))),
    max_gap
  ) END AS longest_silence
FROM placed"""

# Whether somebody whom a customer referred has bought by a boundary, and what they last said until then.
_ADVOCATES = """WITH brought AS (
  SELECT referrer.customer AS customer, min(greatest(referrals.referred_on, referred.first_day)) AS since
  FROM referrals
  JOIN customers AS referrer ON referrer.customer_id = referrals.referrer_id
  JOIN customers AS referred ON referred.customer_id = referrals.referred_id
  WHERE referred.first_day IS NOT NULL
  GROUP BY referrer.customer
),
said AS (
  SELECT brought.customer AS customer, boundaries.boundary AS boundary, score,
    row_number() OVER (PARTITION BY brought.customer, boundaries.boundary ORDER BY answered DESC, score) AS place
  FROM brought
  JOIN boundaries ON boundaries.day > brought.since
  JOIN customers ON customers.customer = brought.customer
  LEFT JOIN surveys ON surveys.customer_id = customers.customer_id AND kind = 'nps' AND answered < boundaries.day
)
SELECT customer, boundary FROM said WHERE place = 1 AND coalesce(score, 10) > 6"""

_STAGED = f"""WITH at_boundaries AS (
  SELECT *, unnest(range(from_boundary, to_boundary + 1)) AS boundary FROM spells
),
mostly_here AS (
  SELECT customers.customer AS customer FROM wallets JOIN customers ON customers.customer_id = wallets.customer_id
)
SELECT spells.customer AS customer, boundaries.boundary AS boundary,
  CAST(CASE
    WHEN boundaries.day - spells.day > coalesce(longest_silence, usual_gap) THEN {_PLACE["lapsing"]}
    WHEN advocates.customer IS NOT NULL THEN {_PLACE["advocate"]}
    WHEN loyal_since >= boundaries.day - {LOYAL_DAYS} THEN {_PLACE["loyal"]}
    WHEN mostly_here.customer IS NOT NULL THEN {_PLACE["majority"]}
    WHEN days >= 2 THEN {_PLACE["repeat"]}
    ELSE {_PLACE["first-time"]}
  END AS TINYINT) AS stage
FROM at_boundaries AS spells
JOIN boundaries ON boundaries.boundary = spells.boundary
LEFT JOIN advocates ON advocates.customer = spells.customer AND advocates.boundary = spells.boundary
LEFT JOIN mostly_here ON mostly_here.customer = spells.customer"""

_GAPS = f"""SELECT calendar.period + 1 AS boundary, gap_days AS gap, count(*) AS gaps
FROM {PURCHASE_DAYS} AS days
JOIN calendar ON calendar.day = days.day
WHERE gap_days IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2"""


@dataclass(frozen=True)
class StageInputs:
    """What stages take beside the log.

    Attributes
    ----------
    referrals : Referrals, optional, without which nobody is an advocate
    surveys : Surveys, optional
    wallets : mapping of customer ids to their share of wallet, in [0, 1]; without it nobody is of the majority
    """

    referrals: Referrals | None = None
    surveys: Surveys | None = None
    wallets: Mapping[str, float] = field(default_factory=dict)


def share_of_wallet(here: float, everywhere: float) -> float:
    """Return which share of what a customer spends on such goods is spent here.

    Raises
    ------
    StayworthError
        If less is spent everywhere than here, or nothing.

    Examples
    --------
    >>> share_of_wallet(200_000, 2_000_000)
    0.1
    """
    if not 0 <= here <= everywhere or everywhere == 0:
        raise StayworthError(
            translated(
                "A customer who spends {here:,.2f} here cannot spend {everywhere:,.2f} everywhere. Give "
                "what they spend on such goods in all, this firm included.",
                here=here,
                everywhere=everywhere,
            )
        )
    return here / everywhere


def usual_gap(gaps: npt.ArrayLike, counts: npt.ArrayLike) -> int | None:
    """Return the days within which 80% of all gaps between purchase days end; None without a gap.

    Parameters
    ----------
    gaps : array of int, days, ascending
    counts : array of int, how many gaps are as long

    Examples
    --------
    >>> usual_gap([7, 30, 90], [5, 3, 2])
    30
    """
    so_far = np.cumsum(counts)
    if not len(so_far):
        return None
    return int(np.asarray(gaps)[np.searchsorted(so_far, GAP_SHARE * so_far[-1] * (1 - 1e-12))])


def stages_of_features(
    columns: Columns, inactivity_days: int, usual_gap_days: int | None
) -> npt.NDArray[np.object_]:
    """Return the stage of each customer of a feature table, by orders alone: nobody is an advocate or of the majority.

    Parameters
    ----------
    columns : Columns, of `features.table.history.FEATURES`
    inactivity_days : int
    usual_gap_days : int or None, as `usual_gap` gives it for the log

    Returns
    -------
    ndarray of shape (n_customers,) of text

    Examples
    --------
    >>> rhythm = {"mean_gap_days": [30.0, np.nan], "std_gap_days": [5.0, np.nan], "max_gap_days": [38.0, np.nan]}
    >>> bought = {"frequency": [5, 0], "purchase_days_365d": [6, 1], "days_since_last_purchase": [40, 41]}
    >>> columns = {name: np.array(values) for name, values in (rhythm | bought).items()}
    >>> stages_of_features(columns, 90, 40).tolist()
    ['loyal', 'lapsing']
    """
    silence, repeats = columns["days_since_last_purchase"], columns["frequency"]
    own = np.fmax(columns["mean_gap_days"] + 2 * columns["std_gap_days"], columns["max_gap_days"])
    longest = np.where(
        repeats >= OWN_GAPS_FROM - 1, own, _NEVER if usual_gap_days is None else usual_gap_days
    )
    place = np.select(
        [
            silence > inactivity_days,
            silence > longest,
            columns["purchase_days_365d"] >= LOYAL_PURCHASES,
            repeats > 0,
        ],
        [_PLACE["lapsed"], _PLACE["lapsing"], _PLACE["loyal"], _PLACE["repeat"]],
        _PLACE["first-time"],
    )
    found: npt.NDArray[np.object_] = np.array(STAGES, dtype=object)[place]
    return found


def create_stages(
    engine: Engine, periods: Periods, inactivity_days: int, inputs: StageInputs | None = None
) -> None:
    """Create the table ``stages (customer, boundary, stage)``: a row for each active customer at each boundary.

    ``stage`` is a place in `STAGES`; who has bought and has no row at a boundary has lapsed there. The engine has the
    tables of `features.economics.facts`.
    """
    inputs = inputs or StageInputs()
    gaps = engine.query(_GAPS).to_pandas()
    usual = [_usual_gap_at(gaps, boundary) for boundary in range(len(periods.boundaries))]
    boundaries = {"boundary": range(len(usual)), "day": periods.boundaries, "usual_gap": usual}
    engine.register(
        "boundaries",
        pa.table({name: pa.array(list(values), pa.int32()) for name, values in boundaries.items()}),
    )
    majority = [customer for customer, share in inputs.wallets.items() if share > MAJORITY]
    engine.register("wallets", pa.table({"customer_id": pa.array(majority, pa.string())}))
    engine.register("referrals", inputs.referrals.table if inputs.referrals else _NO_REFERRALS)
    engine.register("surveys", inputs.surveys.table if inputs.surveys else _NO_ANSWERS)
    engine.create("advocates", _ADVOCATES)
    end = int(periods.boundaries[-1])
    engine.create("spells", _SPELLS.format(inactivity=inactivity_days, end=end))
    engine.create("stages", _STAGED)


def _usual_gap_at(gaps: pd.DataFrame, boundary: int) -> int:
    """Return the usual gap by the purchases before a boundary."""
    known = gaps[gaps["boundary"] <= boundary].groupby("gap")["gaps"].sum()
    found = usual_gap(known.index.to_numpy(), known.to_numpy())
    return _NEVER if found is None else found
