"""The interface of a model of purchases, and the models by name."""

from __future__ import annotations

from dataclasses import Field
from importlib import import_module
from typing import Any, ClassVar, Protocol, get_args

from training.clv import PurchaseModelName
from training.clv.activity import Activity
from training.clv.operational_time import NO_DISCOUNT, Discount
from training.clv.quadrature import FloatArray
from training.clv.slopes import Slopes


class PurchaseModel(Protocol):
    """A model of when customers buy and when they leave, a frozen dataclass of its parameters; time in weeks.

    x, t_x and T are a customer's frequency, recency and age, float arrays of shape (n,), as in ``bgnbd.py``.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(self, **parameters: float) -> None:
        """Set the parameters."""

    def log_likelihood(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, weights: FloatArray | float = 1.0
    ) -> float:
        """Return the log-likelihood of the customers, each counted ``weights`` times."""

    def log_likelihoods(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return each customer's log-likelihood."""

    def slopes(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> Slopes:
        """Return each customer's log-likelihood, and by how much it rises with the parameters and the times."""

    def slope(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, weights: FloatArray | float = 1.0
    ) -> FloatArray:
        """Return by how much `log_likelihood` rises with the logarithm of each parameter."""

    def p_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the probability that the customer has not left by T, silent since t_x."""

    def p_silent_if_alive(self, x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return P(still alive and without a purchase after ``weeks`` | alive at T)."""

    def p_purchase_if_alive(self, x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return P(a purchase within ``weeks`` | alive at T)."""

    def p_no_purchase(self, x: FloatArray, t_x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return P(no purchase within ``weeks``)."""

    def expected_purchases(self, x: FloatArray, t_x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return the number of purchases expected within ``weeks``."""

    def purchases_if_alive(
        self, x: FloatArray, T: FloatArray, weeks: float, discount: Discount = NO_DISCOUNT
    ) -> FloatArray:
        """Return the discounted purchases expected within ``weeks`` of a customer alive at T."""

    def purchases_after_win_back(
        self,
        x: FloatArray,
        t_x: FloatArray,
        T: FloatArray,
        weeks: float,
        discount: Discount = NO_DISCOUNT,
    ) -> tuple[FloatArray, FloatArray]:
        """Return the purchases expected in the ``weeks`` after a won-back purchase, silent until T, in two parts.

        Of those who had not left by T, and of those who had, if they go on at their old rate.
        """

    def active_weeks_if_alive(
        self, x: FloatArray, T: FloatArray, begin: FloatArray, activity: Activity
    ) -> FloatArray:
        """Return the discounted weeks in which a customer alive at T is active by a purchase after T.

        From ``begin`` on, calendar weeks of shape (n,): those before are due to the last purchase.
        """

    def active_weeks_after_win_back(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, activity: Activity
    ) -> tuple[FloatArray, FloatArray]:
        """Return the discounted active weeks after those of a won-back purchase, in two parts.

        The parts are those of `purchases_after_win_back`; the weeks that the purchase itself brings are not counted.
        """

    def purchase_log_odds(self, x: FloatArray, t_x: FloatArray, T: FloatArray, weeks: float) -> FloatArray:
        """Return the log-odds of a purchase within ``weeks``."""

    def next_purchase(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, log_odds: FloatArray
    ) -> FloatArray:
        """Return the weeks until a purchase has come with a probability of ``log_odds``; NaN for never."""


PURCHASE_MODELS: dict[str, type[PurchaseModel]] = {
    name: import_module(f"training.clv.{name}").MODEL for name in get_args(PurchaseModelName)
}
