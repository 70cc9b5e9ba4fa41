"""Operational time: a season, a trend, steps and pauses in the purchase rate that all customers share.

While they are there, customers buy at the rate ``λ·s(t)``, with one intensity s for all::

    ln s(t) = Σ_k (a_k cos 2πkt/365.25 + b_k sin 2πkt/365.25) + c·g(t) − Σ_j d_j·1(t < τ_j),    Λ(t) = ∫ s

That is a change of clock for a Poisson process: on *operational* time Λ, BG/NBD and its relatives hold as they are.
The log-likelihood is theirs on operational histories, plus ln s at each repeat purchase day. g is time in years
around the middle of the last year before the snapshot, so ln s has mean 0 over that year and the parameters stay
comparable with those of a constant intensity. Past the snapshot the trend fades with a scale of as many days as it was
seen, in intervals a factor of 3.5 more or less; before the log's first day it is flat.

A step changes the rate by the factor e^d from day τ on, for good. It is the past that it moves: from the last one on
s is 1, so that parameters are those of the customers as they buy now, and what is ahead lies in calendar time.

In a pause (`training.clv.pauses`), s is multiplied by the share of its usual trade that the day had, and between them
by what makes its mean 1 over that year: as much time as was lost in it is expected to be lost again, nobody knows when.

An operational week is a calendar week at average intensity. Only discounting stays in calendar time.

References
----------
Cox (1955), Some statistical methods connected with series of events, JRSS B 17(2): time change of a Poisson process.
Gott (1993), Implications of the Copernican principle for our future prospects, Nature 363: how long a thing goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from features.language import ENGLISH, translated, use_language
from training.clv.pauses import Pauses, pauses_in
from training.clv.quadrature import FloatArray

DAYS_PER_WEEK = 7.0
DAYS_PER_YEAR = 365.25
TREND_FADES_DAYS = 365.0
"""Scale of the exponential with which a trend fades after the snapshot, where nothing says how long it was seen."""

TREND_DOUBT = 1.25
"""Standard deviation of that scale's logarithm: no log shows how long a trend goes on. Who only knows that a thing has
lasted for L days expects as many more, within a factor of 3 in half of all cases (Gott: a deviation of 1.8). A trend of
a shop is known a little better: with 1.25, intervals hold what comes in simulated shops that slow down for good."""

_BEFORE_DAYS, _AHEAD_DAYS = 30 * 366, 120 * 366  # the calendar that is laid out around a snapshot
Days = npt.NDArray[np.int64]
Steps = tuple[tuple[int, float], ...]


@dataclass(frozen=True, order=True)
class IntensityForm:
    """What the intensity is made of.

    Parameters
    ----------
    harmonics : int, annual cycles
    trend : bool
    steps : bool
        Whether days are looked for from which on the rate is another one.

    Examples
    --------
    >>> str(IntensityForm(2, True)), str(IntensityForm(steps=True)), str(IntensityForm())
    ('season (2 harmonics) and trend', 'steps', 'constant intensity')
    """

    harmonics: int = 0
    trend: bool = False
    steps: bool = False

    @property
    def years(self) -> float:
        """Years of log that it takes to be fitted: one, or two to tell a trend or steps from a season."""
        return 2.0 if self.steps or (self.harmonics and self.trend) else float(self != CONSTANT_FORM)

    def __str__(self) -> str:
        with use_language(ENGLISH):  # a name that is kept
            return self.in_words()

    def in_words(self) -> str:
        """Say what it is made of in the chosen language."""
        season = translated("season ({n:harmonic|harmonics})", n=self.harmonics)
        other = translated("trend") if self.trend else translated("steps") if self.steps else ""
        if self.harmonics and other:
            return translated("{season} and {other}", season=season, other=other)
        return season if self.harmonics else other or translated("constant intensity")


CONSTANT_FORM = IntensityForm()


@dataclass(frozen=True)
class Intensity:
    """The purchase intensity over the calendar, constant within a day.

    Parameters
    ----------
    snapshot_day : int, days since 1970-01-01
        The snapshot at which it was fitted.
    first_day : int, days since 1970-01-01
        First day of the log.
    harmonics : tuple of (cosine, sine) coefficients, of one, two, … cycles per year
    trend : float, change of ln s per year
    trend_fades_days : float, above 0
        Scale of the exponential with which the trend fades after the snapshot; of a fit, the days of its log.
    pauses : tuple of pairs, `training.clv.pauses.Pauses`
        Before the snapshot.
    steps : tuple of pairs, oldest first, optional
        Days since 1970-01-01 and the change of ln s from each on. None: none were looked for.

    Examples
    --------
    Without season and trend, operational weeks are calendar weeks:

    >>> Intensity().weeks(0, np.array([14]))
    array([2.])

    In a year that grows by half from its middle on, a week before the snapshot counts more than a week:

    >>> Intensity(snapshot_day=20_000, first_day=19_000, trend=np.log(1.5)).weeks(19_993, 20_000).round(2)
    np.float64(1.22)

    Where the rate has halved, a week before counts twice:

    >>> halved = Intensity(snapshot_day=20_000, first_day=19_000, steps=((19_900, np.log(0.5)),))
    >>> halved.weeks(np.array([19_800, 19_950]), np.array([19_807, 19_957]))
    array([2., 1.])
    """

    snapshot_day: int = 0
    first_day: int = 0
    harmonics: tuple[tuple[float, float], ...] = ()
    trend: float = 0.0
    trend_fades_days: float = TREND_FADES_DAYS
    pauses: Pauses = ()
    steps: Steps | None = None

    @property
    def form(self) -> IntensityForm:
        """What it is made of, beside pauses, which are observed."""
        return IntensityForm(len(self.harmonics), bool(self.trend), self.steps is not None)

    @property
    def is_constant(self) -> bool:
        """Whether operational time is calendar time."""
        return not self.pauses and not self.steps and self.is_calendar_from(self.snapshot_day)

    def is_calendar_from(self, day: float) -> bool:
        """Whether operational time is calendar time from a day on."""
        past = [self.snapshot_day] * bool(self.pauses) + [changed for changed, _ in self.steps or ()]
        return not self.harmonics and not self.trend and all(day >= each for each in past)

    @property
    def is_founded(self) -> bool:
        """Whether the log it was fitted on is as long as its form takes."""
        return self.is_constant or (self.snapshot_day - self.first_day) / DAYS_PER_YEAR >= self.form.years

    def weeks(self, start: Any, end: Any) -> Any:
        """Return the operational weeks between two days (since 1970-01-01, numbers or arrays), elementwise."""
        if self.is_constant:
            return (end - start) / DAYS_PER_WEEK
        return np.interp(end, self._edges, self._elapsed) - np.interp(start, self._edges, self._elapsed)

    def days_after(self, start: float, weeks: FloatArray) -> FloatArray:
        """Return how many days after ``start`` so many operational weeks have passed, of the shape of ``weeks``.

        The inverse of `weeks`, linear within a day; beyond the calendar that is laid out, its end.
        """
        if self.is_calendar_from(start):
            return weeks * DAYS_PER_WEEK
        elapsed = np.interp(start, self._edges, self._elapsed) + weeks
        return np.interp(elapsed, self._elapsed, self._edges) - start

    def moved(self, change: FloatArray) -> Intensity:
        """Return the intensity with its coefficients changed: those of harmonics, trend and steps, as it has them."""
        if not change.size:
            return self
        waves, rest = 2 * len(self.harmonics), change[2 * len(self.harmonics) :].tolist()
        pairs = zip(self.harmonics, np.reshape(change[:waves], (-1, 2)).tolist(), strict=True)
        harmonics = tuple((cosine + by[0], sine + by[1]) for (cosine, sine), by in pairs)
        trend = self.trend + (rest.pop(0) if self.trend else 0.0)
        steps = self.steps and tuple(
            (day, by + more) for (day, by), more in zip(self.steps, rest, strict=True)
        )
        return replace(self, harmonics=harmonics, trend=trend, steps=steps)

    @property
    def trend_scenarios(self) -> tuple[Intensity, ...]:
        """The intensities whose trends fade `TREND_DOUBT` later and sooner; none without a trend."""
        if not self.trend:
            return ()
        scales = (self.trend_fades_days * np.exp(sign * TREND_DOUBT) for sign in (1.0, -1.0))
        return tuple(replace(self, trend_fades_days=float(scale)) for scale in scales)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> Intensity:
        """Read what `to_dict` wrote."""
        harmonics = tuple((float(cosine), float(sine)) for cosine, sine in numbers["harmonics"])
        pauses = tuple((int(day), float(share)) for day, share in numbers.get("pauses", ()))
        steps = numbers.get("steps")
        steps = None if steps is None else tuple((int(day), float(change)) for day, change in steps)
        return cls(**(numbers | {"harmonics": harmonics, "pauses": pauses, "steps": steps}))

    @cached_property
    def _edges(self) -> FloatArray:
        return _edges(self.snapshot_day, self.first_day)

    @cached_property
    def _elapsed(self) -> FloatArray:
        """Operational weeks from the beginning of the calendar to the beginning of each day."""
        shape = _shape(self.snapshot_day, self.first_day, len(self.harmonics), self.trend_fades_days)
        coefficients = [c for pair in self.harmonics for c in pair] + [self.trend]
        daily = np.exp(shape @ np.array(coefficients))
        for day, change in self.steps or ():
            daily[self._edges[:-1] < day] *= np.exp(-change)
        if self.pauses:
            seen = np.searchsorted(self._edges, (self.first_day, self.snapshot_day))
            daily[slice(*seen)] *= shares_of_average(self.pauses, self.first_day, self.snapshot_day)
        return np.concatenate([[0.0], np.cumsum(daily)]) / DAYS_PER_WEEK


def _edges(snapshot_day: int, first_day: int) -> FloatArray:
    """Return the beginnings of the days of the calendar, in days since 1970-01-01."""
    first = min(first_day, snapshot_day) - _BEFORE_DAYS
    return np.arange(first, snapshot_day + _AHEAD_DAYS, dtype=np.float64)


@lru_cache(maxsize=4)
def _shape(snapshot_day: int, first_day: int, harmonics: int, fades_days: float) -> FloatArray:
    """Return the `basis` of each day of the calendar, which the scenarios of a season have in common."""
    days = _edges(snapshot_day, first_day)[:-1]
    return basis(days, snapshot_day, first_day, harmonics, True, fades_days=fades_days)


CONSTANT = Intensity()


@dataclass(frozen=True)
class Discount:
    """Discount factors in calendar time, for times in operational weeks after a day.

    Parameters
    ----------
    rate : float, continuous, per calendar week
    start_day : float, days since 1970-01-01
    intensity : Intensity

    Examples
    --------
    >>> Discount(rate=0.01)(np.array([0.0, 10.0])).round(4)
    array([1.    , 0.9048])
    """

    rate: float = 0.0
    start_day: float = 0
    intensity: Intensity = CONSTANT

    @property
    def in_operational_weeks(self) -> bool:
        """Whether operational time differs from calendar time."""
        return not self.intensity.is_calendar_from(self.start_day)

    def __call__(self, weeks: FloatArray) -> FloatArray:
        """Return ``e^(−δt)``, t the calendar weeks in which so many operational weeks pass."""
        if not self.in_operational_weeks:
            return np.exp(-self.rate * weeks)
        return np.exp(-self.rate * self.intensity.days_after(self.start_day, weeks) / DAYS_PER_WEEK)


NO_DISCOUNT = Discount()


@dataclass(frozen=True)
class RepeatDays:
    """How many customers made a repeat purchase on each day of a log.

    Parameters
    ----------
    first_day : int, days since 1970-01-01
    counts : ndarray of shape (n_days,)
        From the first day on.
    share : float, in (0, 1]
        Of the customers that are counted; pauses are those of all.
    """

    first_day: int
    counts: FloatArray = field(repr=False)
    share: float = 1.0

    def before(self, day: int) -> RepeatDays:
        """Return the days before a day, to the last: after the last purchase there was none."""
        days = max(day - self.first_day, 0)
        return replace(self, counts=np.pad(self.counts[:days], (0, max(days - len(self.counts), 0))))

    def of_part(self, share: float) -> RepeatDays:
        """Return what a share of the customers made of them."""
        return replace(self, counts=self.counts * share, share=self.share * share)

    @cached_property
    def pauses(self) -> Pauses:
        """The days on which the whole log's trade paused."""
        return pauses_in(self.first_day, np.rint(self.counts / self.share))


def shares_of_average(pauses: Pauses, first_day: int, snapshot_day: int) -> FloatArray:
    """Return what each day of a log had of an average day, ndarray of shape (snapshot_day − first_day,).

    Examples
    --------
    A fifth of the time was lost:

    >>> shares_of_average(((103, 0.0),), first_day=100, snapshot_day=105)
    array([1.25, 1.25, 1.25, 0.  , 1.25])
    """
    shares = np.ones(snapshot_day - first_day)
    for day, share in pauses:
        shares[day - first_day] = share
    return np.asarray(shares / shares[-round(DAYS_PER_YEAR) :].mean())


def basis(
    days: FloatArray,
    snapshot_day: int,
    first_day: int,
    harmonics: int,
    trend: bool,
    *,
    fades_days: float = TREND_FADES_DAYS,
    step_days: Sequence[int] = (),
) -> FloatArray:
    """Return what ln s is linear in, an ndarray of shape (n_days, 2·harmonics + trend + steps)."""
    angle = 2.0 * np.pi * days / DAYS_PER_YEAR
    columns = [wave(k * angle) for k in range(1, harmonics + 1) for wave in (np.cos, np.sin)]
    if trend:
        ahead = np.maximum(days - snapshot_day, 0.0)
        seen = np.clip(days, first_day, snapshot_day) - (snapshot_day - DAYS_PER_YEAR / 2.0)
        columns.append((seen - fades_days * np.expm1(-ahead / fades_days)) / DAYS_PER_YEAR)
    columns += [np.where(days < day, -1.0, 0.0) for day in step_days]
    return np.stack(columns, axis=1) if columns else np.zeros((len(days), 0))
