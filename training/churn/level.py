"""Level: what closed windows missed in common, and what of it is put back for the window ahead.

Whatever the purchase model says of customers, the windows of a business are off together: by a campaign, a price, a
season. What each closed window missed is a series; its next value is predicted from what was known of it, by the rule
that did so best one step ahead over all closed windows, if it gained more than noise. Seasons come back: half of what
was missed a year before is put back as soon as it has helped by more than the chance of its windows' customers. And a
model that does not fit its customers misses by little, but always: half of what recent windows missed is put back too
where that has surely helped, be it by less.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Literal, TypeVar

import numpy as np

from features.language import ENGLISH, translated, use_language
from features.snapshot import ChurnWindow, Snapshot
from training.churn.fit_options import FitOptions
from training.churn.rolling import errors_for, gains_surely
from training.clv.change_point import EDGE_DAYS
from training.snapshots.dataset import LabelledSnapshot, known_at

GRID_DAYS = 16
"""A year-ago date is covered if snapshots lie within half a month of it."""

FEWEST_APART = 3
"""Windows one after the other on which a rule on recent windows has to be seen: those that overlap go up and down
together."""

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class LevelRule:
    """How the next window's level is predicted from those of closed windows.

    Parameters
    ----------
    kind : {"none", "recent", "year_ago"}
        0; a share of the mean of the last ``windows`` closed ones; a share of that of the window a year before.
    windows : int
    share : float in (0, 1]

    Examples
    --------
    >>> print(LevelRule("recent", 3, 0.5))
    50% of the mean of the last 3 windows
    """

    kind: Literal["none", "recent", "year_ago"] = "none"
    windows: int = 0
    share: float = 1.0

    def __str__(self) -> str:
        with use_language(ENGLISH):  # a name that is kept
            return self.in_words()

    def in_words(self) -> str:
        """Say the rule in the chosen language."""
        if self.kind == "none":
            return translated("none")
        if self.kind == "year_ago":
            of = translated("that of a year before")
        elif self.windows == 1:
            of = translated("that of the last window")
        else:
            of = translated("the mean of the last {n} windows", n=self.windows)
        return of if self.share == 1.0 else translated("{share:.0%} of {of}", share=self.share, of=of)


NO_RULE = LevelRule()
SEASON = LevelRule("year_ago", share=0.5)
RULES = (
    SEASON,
    LevelRule("year_ago"),
    *(LevelRule("recent", windows, share) for windows in (6, 3, 1) for share in (0.5, 1.0)),
)
"""What is tried beside none."""

_HALVES = tuple(rule for rule in RULES if rule.kind == "recent" and rule.share == 0.5)


@dataclass(frozen=True)
class Level:
    """Levels of closed windows, and the rule by which the next one is predicted.

    Parameters
    ----------
    days : tuple of int, ascending
        Snapshot dates as proleptic Gregorian ordinals.
    missed : tuple of float
        What each window was off by: log-odds of churn, or the log of a factor.
    rule : LevelRule

    Examples
    --------
    >>> level = Level((date(2010, 9, 10).toordinal(),), (-0.52,), LevelRule("year_ago"))
    >>> level.at(Snapshot(date(2011, 9, 10))), level.at(Snapshot(date(2011, 3, 10)))
    (-0.52, 0.0)
    """

    days: tuple[int, ...] = ()
    missed: tuple[float, ...] = ()
    rule: LevelRule = NO_RULE

    def covers(self, snapshot: Snapshot) -> bool:
        """Return whether the rule has what it needs to predict a snapshot's level."""
        if self.rule.kind == "year_ago":
            year_ago = snapshot.months_earlier(12).date.toordinal()
            return any(abs(day - year_ago) <= GRID_DAYS for day in self.days)
        return len(self.days) >= max(self.rule.windows, 1)

    def at(self, snapshot: Snapshot) -> float:
        """Return the level predicted for a snapshot after the windows; 0 where the rule lacks what it needs."""
        if self.rule.kind == "none" or not self.covers(snapshot):
            return 0.0
        if self.rule.kind == "year_ago":
            year_ago = snapshot.months_earlier(12).date.toordinal()
            return self.rule.share * float(np.interp(year_ago, self.days, self.missed))
        return self.rule.share * float(np.mean(self.missed[-self.rule.windows :]))

    def known_at(self, rows: Sequence[LabelledSnapshot], target: Snapshot) -> Level:
        """Keep the windows that had closed by the target."""
        known = {row.snapshot.date.toordinal() for row in known_at(rows, target)}
        kept = [pair for pair in zip(self.days, self.missed, strict=True) if pair[0] in known]
        return Level(tuple(day for day, _ in kept), tuple(value for _, value in kept), self.rule)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON, dates in ISO form."""
        dates = [date.fromordinal(day).isoformat() for day in self.days]
        return {"snapshots": dates, "missed": list(self.missed), "rule": asdict(self.rule)}

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> Level:
        """Read what `to_dict` wrote."""
        days = tuple(date.fromisoformat(text).toordinal() for text in numbers["snapshots"])
        return cls(days, tuple(numbers["missed"]), LevelRule(**numbers["rule"]))


Rows = TypeVar("Rows", bound=Sequence[LabelledSnapshot])


def unsurprised(rows: Rows, *, value_horizons: bool = False) -> Rows | list[LabelledSnapshot]:
    """Leave out the windows that a step surprised: what they missed is known now, and not missed again.

    They reach past the day of a step in the newest purchase model, and opened before it could be seen.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first
        Their purchase models have the form of the one to predict with.
    value_horizons : bool
        Look at the value horizons, where they have closed, in place of the churn windows.
    """
    steps = [step for row in rows[-1:] for step in row.clv.intensity.steps or ()]
    changed = [date.fromordinal(day + _EPOCH) for day, _ in steps]
    windows = [row.year.window if value_horizons and row.year else row.window for row in rows]
    telling = [not any(_surprises(day, window) for day in changed) for window in windows]
    return [row for row, tells in zip(rows, telling, strict=True) if tells] or rows


def _surprises(changed: date, window: ChurnWindow) -> bool:
    return window.closes > changed > window.opens - timedelta(days=EDGE_DAYS)


def level_of(
    rows: Sequence[LabelledSnapshot],
    missed: Sequence[float],
    options: FitOptions,
    rule: LevelRule = NO_RULE,
) -> Level:
    """Keep what windows missed at which the log was old enough, and that no step surprised.

    Old enough is ``dormant_after_days`` of log: before, nobody can have been silent for longer, and the purchase
    model cannot yet tell a pause from churn.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
    missed : sequence of float, one per snapshot
    options : FitOptions
    rule : LevelRule
    """
    telling = {row.snapshot for row in unsurprised(rows)}
    old = sorted(
        (row.snapshot.date.toordinal(), value)
        for row, value in zip(rows, missed, strict=True)
        if (row.snapshot.date - options.first_order).days >= options.dormant_after_days
        and row.snapshot in telling
    )
    return Level(tuple(day for day, _ in old), tuple(value for _, value in old), rule)


def choose_rule(
    rows: Sequence[LabelledSnapshot],
    level: Level,
    losses: Callable[[int, float], np.ndarray],
    *,
    noise: float,
) -> tuple[LevelRule, dict[str, float]]:
    """Choose the rule that predicts levels best, one step ahead.

    Each closed window's level is predicted from the windows that had closed by its own snapshot. A rule is compared
    with none on the windows that it covers.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first
    level : Level
        Of these windows.
    losses : callable
        Takes a window's place in ``rows`` and its predicted level, and returns each customer's loss.
    noise : float
        A mean gain less its standard error over windows has to be larger than this. Less will do for half of a year
        before's level if it is sure over customers (`gains_surely`): what a sample of them leaves to chance is no
        season. And for half of that of recent windows if it is sure over windows.

    Returns
    -------
    LevelRule, and the mean gain in loss of every rule that could be judged
    """
    unmoved = cache(lambda place: losses(place, 0.0))
    gains: dict[LevelRule, float] = {}
    at_least: dict[LevelRule, float] = {}
    steady: dict[LevelRule, float] = {}
    in_season = False
    for rule in RULES:
        gained: dict[Snapshot, np.ndarray] = {}
        for place, row in enumerate(rows):
            known = Level(level.days, level.missed, rule).known_at(rows, row.snapshot)
            if known.covers(row.snapshot):
                gained[row.snapshot] = unmoved(place) - losses(place, known.at(row.snapshot))
        apart = _windows_apart(gained, rows)
        if apart >= (1 if rule.kind == "year_ago" else FEWEST_APART):
            means = [float(each.mean()) for each in gained.values()]
            gains[rule], error = float(np.mean(means)), float(np.std(means)) / np.sqrt(apart)
            at_least[rule] = gains[rule] - error
            if rule in _HALVES and gains[rule] > errors_for(len(_HALVES)) * error:
                steady[rule] = at_least[rule]
            in_season = in_season or (rule == SEASON and gains_surely(list(gained.values())))
    chosen = max(at_least, key=lambda rule: at_least[rule], default=NO_RULE)
    if at_least.get(chosen, 0.0) <= noise:
        chosen = SEASON if in_season else max(steady, key=lambda rule: steady[rule], default=NO_RULE)
    return chosen, {str(rule): gain for rule, gain in gains.items()}


def _windows_apart(judged: Collection[Snapshot], rows: Sequence[LabelledSnapshot]) -> int:
    """Return how many windows would fit one after the other from the first to the last of those judged."""
    if not judged:
        return 0
    return 1 + (max(judged).date - min(judged).date).days // rows[0].window.horizon_days
