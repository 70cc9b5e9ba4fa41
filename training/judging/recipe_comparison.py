"""Comparison of two recipes: log-loss, calibration, bias of expected spend, profit of a list.

Both have predicted the same customers of a snapshot whose window has closed (`training.judging.refit`). A difference
counts if the paired bootstrap over customers shows that it is more than noise, and if it is large enough to matter:
among a million customers every difference is significant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import bootstrap

from features.language import in_digits, translatable, translated, written
from training.judging.refit import RefitPredictions
from training.metrics.comparison import CONFIDENCE, Comparison, log_losses, paired_bootstrap
from training.metrics.probabilities import calibration_in_the_large
from training.offers.offer_profit import offer_profit, realised_profit
from training.offers.offers import Offer, example_offer

SAMPLES = 1_000

CALIBRATION_BOUND = 0.03
"""Calibration-in-the-large that is good enough, whatever the champion's."""

LOG_LOSS_MATTERS = 0.001
"""A smaller difference in log-loss is not worth a new champion; .003 lies between two models of different make."""

BIAS_MATTERS = 0.02
"""The same for the bias of expected spend: 2% of the total."""

PROFIT_MATTERS = 0.01
"""The same for the list's profit, as a share of the champion's."""

_BATCH_CELLS = 2_000_000
_TINY = 1e-9


RESULTS = {"better": translatable("better"), "worse": translatable("worse"), "tie": translatable("tie")}
"""How the challenger compares with the champion, and its word."""


@dataclass(frozen=True)
class MeasureComparison:
    """How the challenger compares with the champion in one measure.

    Parameters
    ----------
    measure : str
    challenger, champion : float
    difference, low, high : float
        Challenger less champion, with its 95% interval; the interval is NaN where none was taken.
    result : {"better", "worse", "tie"}
        Of the challenger.
    remark : str
        What else to say of it.
    """

    measure: str
    challenger: float
    champion: float
    difference: float
    low: float
    high: float
    result: Literal["better", "worse", "tie"]
    remark: str = ""

    def sentence(self) -> str:
        """Return the comparison as a sentence with its numbers."""
        ours, theirs, by, low, high = (
            f"{number:z,.{4 if abs(self.champion) < 10 else 0}f}"
            for number in (self.challenger, self.champion, self.difference, self.low, self.high)
        )
        compared = translated(
            "{measure}: {ours} against the champion's {theirs}",
            measure=translated(self.measure),
            ours=in_digits(ours),
            theirs=in_digits(theirs),
        )
        if np.isfinite(self.low):
            by, low, high = map(in_digits, (by, low, high))
            interval = translated("difference {by} (95% {low} to {high})", by=by, low=low, high=high)
            compared = written([compared, interval])
        result = translated(RESULTS[self.result])
        if self.result == "tie" and self.low * self.high > 0:
            result = translated("too small to matter")
        if self.remark:
            result = f"{result} ({self.remark})"
        return f"{compared}: {result}."


def result_of(loss: Comparison, matters: float) -> Literal["better", "worse", "tie"]:
    """Tell whether the first of two is better: by more than noise, and by enough to matter.

    Examples
    --------
    >>> result_of(Comparison(-0.0060, -0.0070, -0.0050, 20_000), matters=0.001)
    'better'
    >>> result_of(Comparison(-0.0002, -0.0003, -0.0001, 20_000), matters=0.001)  # certain, and too small
    'tie'
    >>> result_of(Comparison(0.0060, -0.0010, 0.0130, 200), matters=0.001)  # large, and perhaps nothing
    'tie'
    """
    verdict = loss.verdict
    return "tie" if verdict == "noise" or abs(loss.difference) < matters else verdict


def compare_recipes(
    new: RefitPredictions,
    old: RefitPredictions,
    dormant_after_days: int,
    offer: Offer | None = None,
    seed: int = 0,
) -> list[MeasureComparison]:
    """Compare the predictions of challenger and champion with what the customers did.

    Parameters
    ----------
    new, old : RefitPredictions
        The challenger's and the champion's, of one snapshot.
    dormant_after_days : int
        Recent customers are those whose last purchase lies within these days.
    offer : Offer, optional
        What lists are priced with; by default `training.offers.offers.example_offer`.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of MeasureComparison
        Without the recent customers' where there are none, and without the bias where nothing was spent.
    """
    recent = new.labelled.recent(dormant_after_days)
    found = [_log_loss(translatable("log-loss"), new, old, np.ones_like(recent), seed)]
    if recent.any():
        found.append(_log_loss(translatable("log-loss of recent customers"), new, old, recent, seed))
    found.append(_calibration(new, old))
    if new.labelled.outcomes["spend"].sum() > 0:
        found.append(_bias(new, old, seed))
    if recent.any():
        found.append(_profit(new, old, recent, offer or example_offer(_mean_purchase(new, old)), seed))
    return found


def _mean_purchase(new: RefitPredictions, old: RefitPredictions) -> float:
    return float((new.spend_per_purchase + old.spend_per_purchase).mean() / 2)


def offer_in_words(offer: Offer) -> str:
    """Return an offer's terms as text."""
    return translated(
        "contact {contact:,.2f}, incentive {incentive}, taken by {leavers:.0%} of those who would leave and "
        "{stayers:.0%} of those who would stay",
        contact=offer.contact_cost,
        incentive=offer.incentive_in_words,
        leavers=offer.acceptance,
        stayers=offer.redemption_rate,
    )


def _log_loss(
    measure: str, new: RefitPredictions, old: RefitPredictions, keep: np.ndarray, seed: int
) -> MeasureComparison:
    churned = new.labelled.churned[keep]
    ours, theirs = (log_losses(churned, each.probability[keep]) for each in (new, old))
    loss = paired_bootstrap(ours, theirs, seed, samples=SAMPLES)
    means = float(ours.mean()), float(theirs.mean())
    return MeasureComparison(
        measure, *means, loss.difference, loss.low, loss.high, result_of(loss, LOG_LOSS_MATTERS)
    )


def _calibration(new: RefitPredictions, old: RefitPredictions) -> MeasureComparison:
    """Compare the challenger's calibration with the bound: it can refuse a promotion, never cause one."""
    ours, theirs = (calibration_in_the_large(new.labelled.churned, each.probability) for each in (new, old))
    within, no_worse = abs(ours) <= CALIBRATION_BOUND, abs(ours) <= abs(theirs)
    bound = in_digits(f"±{CALIBRATION_BOUND}")
    remark = translated("outside {bound}", bound=bound)
    if within:
        remark = translated("within {bound}", bound=bound)
    elif no_worse:
        remark = translated("outside {bound}, as the champion", bound=bound)
    result: Literal["tie", "worse"] = "tie" if within or no_worse else "worse"
    nan = float("nan")
    return MeasureComparison(
        translatable("calibration in the large"), ours, theirs, ours - theirs, nan, nan, result, remark
    )


def _bias(new: RefitPredictions, old: RefitPredictions, seed: int) -> MeasureComparison:
    """Compare ``|ln(expected total / actual total)|``: half and double are equally wrong."""
    columns = new.expected_spend, old.expected_spend, new.labelled.outcomes["spend"].to_numpy(dtype=float)

    def biases(*drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        ours, theirs, actual = (np.log(np.maximum(column.sum(axis=axis), _TINY)) for column in drawn)
        return np.asarray(np.abs(np.stack([ours - actual, theirs - actual])))

    def difference(*drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        ours, theirs = biases(*drawn, axis=axis)
        return np.asarray(ours - theirs)

    drawn = bootstrap(
        columns,
        difference,
        paired=True,
        n_resamples=SAMPLES,
        batch=max(1, _BATCH_CELLS // len(columns[0])),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).bootstrap_distribution
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    ours, theirs = biases(*columns).tolist()
    loss = Comparison(ours - theirs, float(low), float(high), len(columns[0]))
    shares = [written(column.sum() / columns[2].sum(), ".3f") for column in columns[:2]]
    remark = translated(
        "expected totals are {ours} and {theirs} of the actual", ours=shares[0], theirs=shares[1]
    )
    result = result_of(loss, BIAS_MATTERS)
    return MeasureComparison(
        translatable("bias of expected spend"),
        ours,
        theirs,
        loss.difference,
        loss.low,
        loss.high,
        result,
        remark,
    )


def _profit(
    new: RefitPredictions, old: RefitPredictions, recent: np.ndarray, offer: Offer, seed: int
) -> MeasureComparison:
    """Compare the profit of the two lists: recent customers for whom each recipe expects the offer to pay.

    The value of a kept customer cannot be observed. It has to be the same for both, or the recipe that values
    customers higher would win: the mean of the two values at stake is taken.
    """
    spend = (new.spend_per_purchase + old.spend_per_purchase)[recent] / 2
    at_stake = (new.value_at_stake + old.value_at_stake)[recent] / 2
    gain = realised_profit(new.labelled.churned[recent], at_stake, offer, spend)
    lists = [
        offer_profit(
            each.probability[recent], each.value_at_stake[recent], offer, each.spend_per_purchase[recent]
        )
        > 0
        for each in (new, old)
    ]
    ours, theirs = (np.where(contacted, gain, 0.0) for contacted in lists)
    loss = paired_bootstrap(-ours, -theirs, seed, samples=SAMPLES)
    n, totals = loss.customers, (float(ours.sum()), float(theirs.sum()))
    remark = translated(
        "{ours:,} and {theirs:recent customer|recent customers} contacted; {offer}",
        ours=int(lists[0].sum()),
        theirs=int(lists[1].sum()),
        offer=offer_in_words(offer),
    )
    result = result_of(loss, PROFIT_MATTERS * abs(totals[1]) / n)
    return MeasureComparison(
        translatable("profit of the list"),
        *totals,
        -loss.difference * n,
        -loss.high * n,
        -loss.low * n,
        result,
        remark,
    )
