"""Dormancy where the horizon is given: the days of silence after which a customer counts as gone."""

from __future__ import annotations

from features.language import translated
from features.table.history import PurchaseHistory
from training.window.advisor import YEAR_DAYS, advise
from training.window.silences import LONG_SILENCES, silences_of

GONE_RETURNS = 0.01
"""Share of the silent who may come back, and the others count as gone: 1 in 100."""


def dormancy(history: PurchaseHistory, horizon_days: int) -> int:
    """Return the days after which a customer is dormant at a horizon.

    Two horizons; one, where after that long a silence all but nobody (`GONE_RETURNS`) comes back: a plan for half a
    year would contact customers who have been gone for one. Where the log asks for a window of a year and most
    customers who come back take longer than two horizons, as advised: at 90 days, everybody who gives each December
    would be dormant by July. And whole horizons more where more than a third of those silent that long buy within the
    next one (`Silences.dormant_after`), up to a year and a half.

    Examples
    --------
    >>> from features.datasets import cdnow
    >>> from features.log.validation import validate
    >>> with PurchaseHistory(validate(cdnow())) as history:
    ...     dormancy(history, 90)
    180
    """
    silences, least = silences_of(history), 2 * horizon_days
    if not silences.ended.any():
        return least
    reach = min(2 * YEAR_DAYS, silences.reach_days)
    back = silences.returning(horizon_days, max(reach - horizon_days, horizon_days))
    if back is not None and back.value <= GONE_RETURNS:
        return horizon_days
    if silences.survival_per_customer().late_returns(least, reach) > 0.5:
        advice = advise(history)
        if advice.window_days >= YEAR_DAYS:
            least = max(least, advice.dormant_after_days)
    return silences.dormant_after(
        [least, *range(least + horizon_days, LONG_SILENCES[-1] + 1, horizon_days)], horizon_days
    )


def other_than_usual(horizon_days: int, dormant_after_days: int) -> list[str]:
    """Say that customers are dormant later, or sooner, than after two horizons, where they are.

    Examples
    --------
    >>> other_than_usual(90, 180), len(other_than_usual(90, 450)), len(other_than_usual(90, 90))
    ([], 1, 1)
    """
    if dormant_after_days == 2 * horizon_days:
        return []
    if dormant_after_days < 2 * horizon_days:
        return [
            translated(
                "Customers are dormant after {days:day|days} of silence, and not after two horizons: all but nobody "
                "comes back after that. --dormant-after-days sets another number.",
                days=dormant_after_days,
            )
        ]
    return [
        translated(
            "Customers are dormant after {days:day|days} of silence, and not after two horizons: too many come back "
            "after that. --dormant-after-days sets another number.",
            days=dormant_after_days,
        )
    ]
