"""Recommendation of churn window, horizon and dormancy from a log.

Without contracts, "churned" is a number of days without an order. Any number misclassifies two kinds of customers, and
the recommendation weighs both, each customer counting once (`training.window.silences` has the estimates):

- **late returns**: of the customers who come back within a year, the share who took longer than the window: they
  were counted as churned and came back. It falls with a longer window.
- **false churn**: of the customers silent for as long as the window, the share who come back within a year after
  it: the error rate among those counted as churned.

The recommended window is the shortest usual one (7, 14, 30, … days) with late returns of at most 20% and false
churn of at most 50%: four out of five returns come within it, and a silence that long is likelier an end than a
pause. Neither rule is enough alone. Where few customers ever come back, false churn is low after a week, long before
the slower ones return; where nearly all do, four out of five returns come within days, and the later ones come all
the same. A strict limit on false churn alone always recommends the longest window: customers differ so much that it
falls slowly (CDNOW: 35% after 90 days, 25% after 180; Online Retail II: 66% and 54%).

Where no window under a year keeps both, as where customers give every December or come to a yearly check-up, returns
are looked for within two years, and the longest window, of a year, is recommended.

The horizon is that window, or the longest shorter one for which the log affords a model: snapshots to learn
from, a test, and forward validation in between. A customer is dormant after a silence within which nine out of ten
returns come, and after the horizon at least; and after a longer one where more than a third of those silent that long
buy within the horizon (or a month) after: of weekly shoppers away for a month four in ten may come back, though few
returns are that late. `training.window.dormancy` has what holds where the horizon is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np

from features.errors import FitError, WindowError
from features.language import translated
from features.snapshot import ChurnWindow
from features.table.history import PurchaseHistory
from training.churn.rolling import VALIDATIONS
from training.snapshots.schedule import WARM_UP_DAYS, longest_horizon_days, schedule, shortest_log_days
from training.window.advice import MONTH_DAYS, Advice, Quantile, Window
from training.window.silences import DORMANT_RETURNS, LONG_SILENCES, Rate, Silences, Survival, silences_of

WINDOWS = (7, 14, 30, 60, 90, 120, 180, 270, 365)
"""Candidate windows: those in common use, in days."""

YEAR_DAYS = 365
LATE_RETURNS = 0.2
FALSE_CHURN = 0.5

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95)


def advise(
    history: PurchaseHistory,
    *,
    late_returns: float = LATE_RETURNS,
    false_churn: float = FALSE_CHURN,
    limit: int = 18,
) -> Advice:
    """Recommend a churn window from the log alone.

    Parameters
    ----------
    history : PurchaseHistory
    late_returns : float, in (0, 1)
        Largest share of returns that may come after the window.
    false_churn : float, in (0, 1]
        Largest share of customers silent for the window who may come back.
    limit : int
        Snapshots to learn from, at the most.

    Raises
    ------
    FitError
        If nobody bought on two days.
    WindowError
        If the log is too short for any horizon.

    Examples
    --------
    >>> from features.datasets import cdnow
    >>> from features.log.validation import validate
    >>> with PurchaseHistory(validate(cdnow())) as history:
    ...     advice = advise(history)
    >>> advice.window_days, advice.horizon_days, advice.dormant_after_days
    (180, 120, 270)
    """
    first_day, last_day = _span(history)
    silences = silences_of(history)
    _require_returns(silences)
    longest = _longest(first_day, last_day)
    curves = silences.survival_per_customer(), silences.survival()
    for reach in sorted({min(years * YEAR_DAYS, silences.reach_days) for years in (1, 2)}):
        lengths = [days for days in WINDOWS if days < reach] or [min(WINDOWS[0], longest)]
        windows = tuple(
            _window(silences, curves, days, reach, _room(first_day, last_day, days, limit))
            for days in lengths
        )
        good = [w.days for w in windows if w.late_returns <= late_returns and _mostly_final(w, false_churn)]
        if good:
            break
    window_days = good[0] if good else lengths[-1]
    horizon_days = _horizon(windows, window_days, longest)
    quiet = max(_dormancy(curves[0], window_days, reach, late_returns / 2), horizon_days)
    ahead_days = max(horizon_days, MONTH_DAYS)
    lengths_from = [quiet, *(days for days in WINDOWS + LONG_SILENCES if days > quiet)]
    dormant_after_days = silences.dormant_after(lengths_from, ahead_days)
    dormant_returns = silences.returning_ahead(dormant_after_days, ahead_days)
    return Advice(
        first_day=first_day,
        last_day=last_day,
        customers=int((~silences.ended).sum()),
        returning_customers=int((~silences.ended & (silences.returns > 0)).sum()),
        gaps=len(silences.gaps),
        quantiles=_quantiles(silences),
        reach_days=reach,
        silent=tuple(curves[0](np.arange(reach + 1)).tolist()),
        silent_per_silence=tuple(curves[1](np.arange(reach + 1)).tolist()),
        windows=windows,
        window_days=window_days,
        horizon_days=horizon_days,
        dormant_after_days=dormant_after_days,
        dormant_returns=dormant_returns,
        notes=(
            *_notes(windows, window_days, horizon_days, reach, found=bool(good), late_returns=late_returns),
            *_of_dormancy(dormant_after_days, dormant_returns, ahead_days),
        ),
    )


def _dormancy(curve: Survival, window_days: int, reach: int, late_returns: float) -> int:
    """Return the shortest usual silence, of the window at least, within which all but so few returns come."""
    lengths = [days for days in WINDOWS + LONG_SILENCES if window_days <= days < reach]
    quiet = [days for days in lengths if curve.late_returns(days, reach) <= late_returns]
    if quiet:
        return quiet[0]
    return lengths[-1] if reach > YEAR_DAYS else window_days


def _require_returns(silences: Silences) -> None:
    if not silences.ended.any():
        raise FitError(
            translated(
                "None of {n:customer|customers} bought on a second day: there is no gap between "
                "purchases to learn a churn window from. Use a longer log, or choose --horizon-days "
                "yourself.",
                n=len(silences.days),
            )
        )


def _longest(first_day: date, last_day: date) -> int:
    """Return the longest horizon that a log affords, in days."""
    longest = longest_horizon_days(first_day, last_day)
    if not longest:
        raise WindowError(
            translated(
                "The log is too short for any churn window: it runs {days:day|days}, from {first:date} to "
                "{last:date}, and {warm_up} of them come before a first snapshot. Use a longer log, "
                "of {least} days at least.",
                days=(last_day - first_day).days + 1,
                first=first_day,
                last=last_day,
                warm_up=WARM_UP_DAYS,
                least=shortest_log_days(first_day, WINDOWS[0]),
            )
        )
    return longest


@dataclass(frozen=True)
class Room:
    """Numbers of monthly snapshots that a log affords for a horizon, as in `Window`."""

    snapshots: int = 0
    validations: int = 0
    closed: int = 0


def _room(first_day: date, last_day: date, horizon_days: int, limit: int) -> Room:
    try:
        plan = schedule(first_day, last_day, horizon_days, limit=limit)
    except WindowError:
        return Room()
    closes = [ChurnWindow(snapshot, horizon_days).closes for snapshot in plan.before_test]
    forward = sum(min(closes) <= snapshot.date for snapshot in plan.before_test)
    return Room(len(plan.before_test), forward, len(plan.closed))


def _window(
    silences: Silences, curves: tuple[Survival, Survival], days: int, reach: int, room: Room
) -> Window:
    """Estimate a window's errors; false churn is unknown where the log follows it less than half as long as others."""
    follow_up = min(YEAR_DAYS, silences.reach_days - days)
    known = 2 * follow_up >= min(reach, YEAR_DAYS)
    late = [curve.late_returns(days, reach) for curve in curves]
    return Window(
        days=days,
        follow_up_days=follow_up if known else 0,
        false_churn=silences.returning(days, follow_up) if known else None,
        false_churn_per_silence=silences.returning(days, follow_up, per_customer=False) if known else None,
        late_returns=late[0],
        late_returns_per_silence=late[1],
        **asdict(room),
    )


def _mostly_final(window: Window, false_churn: float) -> bool:
    """Tell whether few enough come back; unknown counts as yes, for it only falls with longer windows."""
    return window.false_churn is None or window.false_churn.value <= false_churn


def _horizon(windows: tuple[Window, ...], window_days: int, longest: int) -> int:
    """Return the window, or the longest shorter one that the log affords a validated model for."""
    shorter = [w for w in windows if w.days <= min(window_days, longest)]
    validated = [w.days for w in shorter if w.validations >= VALIDATIONS]
    afforded = [w.days for w in shorter if w.snapshots]
    return (validated or afforded or [longest])[-1]


def _quantiles(silences: Silences) -> tuple[Quantile, ...]:
    gaps, weight = silences.gaps, 1.0 / silences.returns[silences.ended]
    order = np.argsort(gaps, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    per_customer = gaps[order][np.minimum(np.searchsorted(share, QUANTILES), len(gaps) - 1)]
    per_gap = np.quantile(gaps, QUANTILES, method="inverted_cdf")
    return tuple(
        Quantile(q, int(gap), int(own)) for q, gap, own in zip(QUANTILES, per_gap, per_customer, strict=True)
    )


def _notes(
    windows: tuple[Window, ...],
    window_days: int,
    horizon_days: int,
    reach: int,
    *,
    found: bool,
    late_returns: float,
) -> Iterator[str]:
    if not found:
        yield translated(
            "No window keeps both late returns and false churn low enough: the longest that the log "
            "can judge is recommended."
        )
    if horizon_days < window_days:
        yield translated(
            "A horizon of {window} days is more than the log affords: {horizon} days is the"
            " longest usual one that leaves snapshots to learn from, to validate on and to be judged "
            "on.",
            window=window_days,
            horizon=horizon_days,
        )
    if reach <= WINDOWS[0]:
        yield translated(
            "Nobody, or next to nobody, was ever silent for more than {reach} days: nobody is seen to"
            " have left, and who will cannot be learnt from this log. The window is the shortest "
            "there is.",
            reach=reach,
        )
    elif reach < (YEAR_DAYS if found else 2 * YEAR_DAYS):
        yield translated(
            "The log follows silences for {reach} days only. Returns later than that are unseen, so "
            "the window may be too short.",
            reach=reach,
        )
    busy = [w.days for w in windows if w.late_returns_per_silence <= late_returns]
    usual = [w.days for w in windows if w.late_returns <= late_returns]
    if busy and busy[0] < min([*usual, window_days]):
        yield translated(
            "Of all returns, {share:.0%} come within {days} days, but most of those are frequent "
            "buyers'. In the recommendation each customer counts once.",
            share=1 - late_returns,
            days=busy[0],
        )


def _of_dormancy(dormant_after_days: int, returning: Rate | None, ahead_days: int) -> list[str]:
    """Say that many of the dormant come back, where no silence tells who is gone."""
    if returning is None or returning.value <= DORMANT_RETURNS:
        return []
    return [
        translated(
            "Of the customers who reach {days:day|days} of silence, {share:.0%} buy in the {ahead} days after: no "
            "silence of up to a year and a half tells here who is gone. --dormant contacts the dormant too.",
            days=dormant_after_days,
            share=returning.value,
            ahead=ahead_days,
        )
    ]


def _span(history: PurchaseHistory) -> tuple[date, date]:
    days = history.engine.query("SELECT min(day) AS first_day, max(day) AS last_day FROM purchase_days")
    epoch = date(1970, 1, 1)
    first, last = (epoch + timedelta(days=days[name][0].as_py()) for name in ("first_day", "last_day"))
    return first, last
