"""The CLV model: purchases (BG/NBD and its relatives) in operational time, and spend per purchase (Gamma-Gamma).

It holds numbers only, and predicts with the formulas of ``bgnbd.py`` and its neighbours.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from features.table.columns import Columns
from training.clv.active_weeks import ActivityAhead, active_weeks
from training.clv.gammagamma import EmpiricalSpend, GammaGamma
from training.clv.later_purchases import AS_TOLD, LaterPurchases
from training.clv.likelihood import along
from training.clv.net_value import CustomerTerms, NetValues
from training.clv.next_purchase import LEVELS, log_odds_at_level
from training.clv.operational_time import CONSTANT, CONSTANT_FORM, DAYS_PER_WEEK, Intensity, IntensityForm
from training.clv.purchase_models import PURCHASE_MODELS, PurchaseModel
from training.clv.quadrature import FloatArray
from training.clv.rhythm import Rhythm
from training.clv.value import Cases, CustomerValues, Future, ValueTerms, customer_values

SPEND_MODELS: dict[str, type[GammaGamma] | type[EmpiricalSpend]] = {
    model.name: model for model in (GammaGamma, EmpiricalSpend)
}

HISTORY = ("frequency", "recency", "T")
"""Columns of the feature table that the purchase models see; the latter two in days."""


@dataclass(frozen=True)
class CLVForm:
    """What is chosen of a CLV model before it is fitted; by default as published.

    Parameters
    ----------
    intensity : IntensityForm
        Season and trend of the purchases.
    first_spend : bool
        Whether the first purchase day counts as one of those whose spend Gamma-Gamma knows (`spend_history`).
    """

    intensity: IntensityForm = CONSTANT_FORM
    first_spend: bool = False


@dataclass(frozen=True)
class CLVModel:
    """Fitted models of purchases and spend, and the purchase intensity over the calendar.

    Parameters
    ----------
    purchases : BGNBD, MBGNBD or ParetoNBD, in operational weeks
    spend : GammaGamma or EmpiricalSpend
        Of gross spend per purchase day.
    net_ratio : float, at least 0
        Net over gross spend of the whole table: below 1 with refunds.
    correlation : float or None
        Of frequency and mean spend over repeat buyers; Gamma-Gamma assumes 0.
    n_customers, n_repeat_buyers : int
    log_likelihood : float
        Of the purchases.
    fitted_at : str
        Snapshot date of the table, ISO; empty if it had none.
    purchase_notes, spend_notes : tuple of str
        Warnings about the two fits; empty if all went well.
    purchase_axes, spend_axes : tuple of tuples of float
        Directions of the parameters' uncertainty (`training.clv.likelihood.principal_axes`); those of the purchases
        go on with the coefficients of the intensity.
    intensity : Intensity
        Season and trend that all customers share.
    first_spend : bool
        As in `CLVForm`.
    rhythm : Rhythm, optional
        By which customers with a rhythm of their own buy within the churn window; without, by the purchase model.
    """

    purchases: PurchaseModel
    spend: GammaGamma | EmpiricalSpend
    net_ratio: float = 1.0
    correlation: float | None = None
    n_customers: int = 0
    n_repeat_buyers: int = 0
    log_likelihood: float = 0.0
    fitted_at: str = ""
    purchase_notes: tuple[str, ...] = ()
    spend_notes: tuple[str, ...] = ()
    purchase_axes: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    spend_axes: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    intensity: Intensity = CONSTANT
    first_spend: bool = False
    rhythm: Rhythm | None = None

    @property
    def form(self) -> CLVForm:
        """What was chosen before the fit."""
        return CLVForm(self.intensity.form, self.first_spend)

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings about the fits."""
        return (*self.purchase_notes, *self.spend_notes)

    @cached_property
    def purchase_scenarios(self) -> tuple[tuple[PurchaseModel, Intensity], ...]:
        """The models of purchases and intensities one standard deviation up and down each axis of uncertainty.

        The axes of the parameters, and, where there is a trend, of how long it goes on.
        """
        n_parameters = len(fields(self.purchases))
        models = along(self.purchases, tuple(axis[:n_parameters] for axis in self.purchase_axes))
        moves = [sign * np.array(axis[n_parameters:]) for axis in self.purchase_axes for sign in (1.0, -1.0)]
        fitted = [(model, self.intensity.moved(move)) for model, move in zip(models, moves, strict=True)]
        return (*fitted, *((self.purchases, intensity) for intensity in self.intensity.trend_scenarios))

    @cached_property
    def spend_scenarios(self) -> tuple[GammaGamma | EmpiricalSpend, ...]:
        """The models of spend one standard deviation up and down each axis of uncertainty."""
        return along(self.spend, self.spend_axes)

    def predict(self, columns: Columns, horizon_days: int) -> dict[str, FloatArray]:
        """Predict each customer's next ``horizon_days``.

        Parameters
        ----------
        columns : Columns
            Of the feature table: frequency, recency and T in days, monetary_value; gross_spend where the first purchase
            day's spend counts.
        horizon_days : int, at least 1

        Returns
        -------
        dict of ndarrays of shape (n,)
            ``p0``: P(no purchase in the window). ``p0_just_bought``: the same, had a repeat buyer's last purchase
            been today. ``p_alive``: P(the customer has not left); 1 for every one-time buyer under BG/NBD, so
            not a churn score. ``expected_purchases`` in the window, and ``purchases_if_active``: the same of a
            customer who makes one, at least 1.
            ``spend_per_purchase``: expected, net of refunds.
        """
        x, t_x, T = self.histories(columns)
        weeks = self.weeks_ahead(columns, horizon_days)
        alive, if_alive = self.purchases.p_alive(x, t_x, T), self.purchases.purchases_if_alive(x, T, weeks)
        return {
            "p0": self.purchases.p_no_purchase(x, t_x, T, weeks),
            "p0_just_bought": self.purchases.p_no_purchase(x, np.where(x > 0, T, t_x), T, weeks),
            "p_alive": alive,
            "expected_purchases": alive * if_alive,
            "purchases_if_active": if_alive / self.purchases.p_purchase_if_alive(x, T, weeks),
            "spend_per_purchase": self.spend_per_purchase(columns),
        }

    def spend_per_purchase(
        self, columns: Columns, spend: GammaGamma | EmpiricalSpend | None = None
    ) -> FloatArray:
        """Return m, the expected spend per purchase net of refunds, ndarray of shape (n,).

        ``spend`` may name another model of gross spend than the fitted one.
        """
        days, m = spend_history(columns, self.first_spend)
        return (spend or self.spend).expected_spend(days, m) * self.net_ratio

    def next_purchase_days(
        self, columns: Columns, churn_probability: FloatArray, horizon_days: int
    ) -> dict[float, FloatArray]:
        """Return the days until a next purchase has come with each of the probabilities `LEVELS`.

        Parameters
        ----------
        columns : Columns
            Of the feature table.
        churn_probability : ndarray of shape (n,), in [0, 1]
            Of no purchase in the next ``horizon_days``: with 1 less it, a purchase has come by then.
        horizon_days : int, at least 1

        Returns
        -------
        dict of level to ndarray of shape (n,), days
            NaN where a purchase never comes with that probability: for the median, where "never" is likelier.
        """
        history, weeks = self.histories(columns), self.weeks_ahead(columns, horizon_days)
        by_rhythm: dict[float, FloatArray] = {}
        if self.rhythm is not None:
            by_rhythm = self.rhythm.days(columns, self.day_weeks(columns, horizon_days), churn_probability)
        own = self.purchases.purchase_log_odds(*history, weeks)
        days = {}
        for level in LEVELS:
            weeks_to = self.purchases.next_purchase(
                *history, log_odds_at_level(level, own, churn_probability)
            )
            days[level] = self.intensity.days_after(snapshot_day(columns), weeks_to)
            if by_rhythm:
                days[level] = np.where(np.isnan(by_rhythm[level]), days[level], by_rhythm[level])
        return days

    def values(
        self,
        columns: Columns,
        terms: ValueTerms,
        more_if_active: FloatArray | float = 0.0,
        later: LaterPurchases = AS_TOLD,
    ) -> CustomerValues:
        """Value the customers of a feature table in units of what one purchase brings.

        ``more_if_active`` and ``later`` as in `customer_values`.
        """
        future = Future.of(terms, self.intensity, snapshot_day(columns))
        return customer_values(self.purchases, *self.histories(columns), future, more_if_active, later)

    def active_weeks(self, columns: Columns, terms: ValueTerms) -> Cases:
        """Return the discounted weeks in which the customers of a feature table will be active."""
        day = snapshot_day(columns)
        future, ahead = Future.of(terms, self.intensity, day), ActivityAhead.of(terms, self.intensity, day)
        return active_weeks(self.purchases, *self.histories(columns), silent_weeks(columns), future, ahead)

    def net_values(
        self,
        columns: Columns,
        terms: ValueTerms,
        spend_per_purchase: FloatArray,
        more_if_active: FloatArray | float = 0.0,
        later: LaterPurchases = AS_TOLD,
    ) -> NetValues:
        """Value the customers of a feature table in money.

        Parameters
        ----------
        columns : Columns
            Of the feature table, perhaps with customers' own terms (`training.clv.net_value.OWN`).
        terms : ValueTerms
        spend_per_purchase : ndarray of shape (n,), money
        more_if_active : float or ndarray of shape (n,)
        later : LaterPurchases
            As in `customer_values`.
        """
        own = CustomerTerms.of(terms, columns)
        return NetValues(
            self.values(columns, terms, more_if_active, later),
            self.active_weeks(columns, terms) if np.any(own.cost_per_day) else None,
            own.per_purchase(spend_per_purchase),
            own.cost_per_week,
        )

    def histories(self, columns: Columns) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return frequency, and recency and T in operational weeks, of a feature table in days."""
        return histories(columns, self.intensity)

    def weeks_ahead(self, columns: Columns, days: float) -> float:
        """Return the operational weeks in the next ``days`` after the table's snapshot."""
        snapshot = snapshot_day(columns)
        return float(self.intensity.weeks(snapshot, snapshot + days))

    def day_weeks(self, columns: Columns, days: int) -> FloatArray:
        """Return the operational weeks of each of the next ``days``, ndarray of shape (days,)."""
        snapshot = snapshot_day(columns)
        return np.diff(self.intensity.weeks(snapshot, snapshot + np.arange(days + 1)))

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON can hold it; floats come back exactly."""
        numbers = asdict(self)
        if self.rhythm is None:
            del numbers["rhythm"]
        numbers["purchases"] = {"name": self.purchases.name} | numbers["purchases"]
        numbers["spend"] = {"name": self.spend.name} | numbers["spend"]
        return dict(json.loads(json.dumps(numbers)))  # tuples to lists

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> CLVModel:
        """Build the model that `to_dict` described."""
        purchases, spend = dict(numbers["purchases"]), dict(numbers["spend"])
        rebuilt = {
            "purchases": PURCHASE_MODELS[purchases.pop("name")](**purchases),
            "spend": SPEND_MODELS[spend.pop("name")](**spend),
            "purchase_notes": tuple(numbers["purchase_notes"]),
            "spend_notes": tuple(numbers["spend_notes"]),
            "purchase_axes": tuple(map(tuple, numbers["purchase_axes"])),
            "spend_axes": tuple(map(tuple, numbers["spend_axes"])),
            "intensity": Intensity.from_dict(numbers["intensity"]),
            "rhythm": Rhythm.from_dict(numbers["rhythm"]) if "rhythm" in numbers else None,
        }
        return cls(**(numbers | rebuilt))


def histories(columns: Columns, intensity: Intensity = CONSTANT) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return frequency, and recency and T in operational weeks, of a feature table in days."""
    x, recency, T = (floats_of(columns, name) for name in HISTORY)
    if intensity.is_constant:
        return x, recency / DAYS_PER_WEEK, T / DAYS_PER_WEEK
    snapshot = snapshot_day(columns)
    first = snapshot - T
    return x, intensity.weeks(first, first + recency), intensity.weeks(first, float(snapshot))


def spend_history(columns: Columns, first_spend: bool) -> tuple[FloatArray, FloatArray]:
    """Return the purchase days that tell of a customer's spend, and the mean gross spend on them.

    Parameters
    ----------
    columns : Columns
        frequency, monetary_value, and gross_spend if the first purchase day counts.
    first_spend : bool
        False: the repeat purchase days, as published. Who has only one then counts as the population does, for spend is
        assumed to be independent of the number of purchases, and the first one may be unlike the rest.

    Examples
    --------
    >>> once = {"frequency": [0.0], "monetary_value": [0.0], "gross_spend": [12.5]}
    >>> spend_history(once, False), spend_history(once, True)
    ((array([0.]), array([0.])), (array([1.]), array([12.5])))
    """
    x = floats_of(columns, "frequency")
    if not first_spend:
        return x, floats_of(columns, "monetary_value")
    return x + 1.0, floats_of(columns, "gross_spend") / (x + 1.0)


def silent_weeks(columns: Columns) -> FloatArray:
    """Return the calendar weeks since the last purchase, of a feature table in days."""
    return (floats_of(columns, "T") - floats_of(columns, "recency")) / DAYS_PER_WEEK


def snapshot_day(columns: Columns) -> int:
    """Return the snapshot of a feature table in days since 1970-01-01; 0 where it has none."""
    if "snapshot_date" not in columns or not len(columns["snapshot_date"]):
        return 0
    return int(np.asarray(columns["snapshot_date"][:1]).astype("datetime64[D]").astype(np.int64)[0])


def floats_of(columns: Columns, name: str) -> FloatArray:
    """Return a column as contiguous floats."""
    return np.ascontiguousarray(columns[name], dtype=np.float64)
