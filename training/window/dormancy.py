"""Dormancy where the horizon is given: the days of silence after which a customer counts as gone."""

from __future__ import annotations

from features.language import translated
from features.table.history import PurchaseHistory
from training.window.advisor import YEAR_DAYS, advise
from training.window.silences import silences_of


def dormancy(history: PurchaseHistory, horizon_days: int) -> int:
    """Return the days after which a customer is dormant at a horizon.

    Two horizons. Where the log asks for a window of a year and most customers who come back take longer than two
    horizons, as advised: at 90 days, everybody who gives each December would be dormant by July.

    Examples
    --------
    >>> from features.datasets import cdnow
    >>> from features.log.validation import validate
    >>> with PurchaseHistory(validate(cdnow())) as history:
    ...     dormancy(history, 90)
    180
    """
    silences, customary = silences_of(history), 2 * horizon_days
    if not silences.ended.any():
        return customary
    reach = min(2 * YEAR_DAYS, silences.reach_days)
    if silences.survival_per_customer().late_returns(customary, reach) <= 0.5:
        return customary
    advice = advise(history)
    return max(customary, advice.dormant_after_days) if advice.window_days >= YEAR_DAYS else customary


def later_than_usual(horizon_days: int, dormant_after_days: int) -> list[str]:
    """Say that customers are dormant later than after two horizons, where they are.

    Examples
    --------
    >>> later_than_usual(90, 180), len(later_than_usual(90, 450))
    ([], 1)
    """
    if dormant_after_days == 2 * horizon_days:
        return []
    return [
        translated(
            "Customers are dormant after {days:day|days} of silence, and not after two horizons: most of those who "
            "come back take longer than that. --dormant-after-days sets another number.",
            days=dormant_after_days,
        )
    ]
