"""A column's distribution as it is stored with a version: counts between quantile edges, no customer's value.

Zero is a bin of its own, and so is "missing": most columns are zero for most customers of a shop, and would hide a
change among the others. How far a later sample lies from the stored one is a `DistributionDistance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from features.language import translatable, translated
from training.reference.distribution_distance import (
    FLOOR,
    DistributionDistance,
    kolmogorov_smirnov,
    stability,
)

FINE_BINS = 50
"""Most bins stored on either side of zero: the error of Kolmogorov-Smirnov is below 1/50."""

MIN_BIN_CUSTOMERS = 20
"""Values between two edges at the least, so that an edge tells nothing about one customer."""

STABILITY_BINS = 10
"""Bins of the stability index, by convention; the stored ones are merged."""

LABELS = 20
"""Most labels kept by name."""

OTHERS = "(others)"

_TINY = 1e-9
_SHARE_TO_NAME = 0.05


@dataclass(frozen=True)
class NumericDistribution:
    """A column of numbers as counts between edges: ``(e₀, e₁], (e₁, e₂], …``, open at both ends.

    Parameters
    ----------
    edges : tuple of float, ascending
        −1e-9 and 0 are among them, so that zero has a bin.
    counts : tuple of int, one more than edges
    missing : int
    median : float
        Of the values that are neither missing nor zero, to six digits; NaN where there are none.

    Examples
    --------
    >>> spend = NumericDistribution.of(np.array([np.nan, 0.0, 0.0, 5.0]))
    >>> spend.edges, spend.counts, spend.missing, spend.median
    ((-1e-09, 0.0), (0, 2, 1), 1, 5.0)
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int
    median: float

    @classmethod
    def of(cls, values: np.ndarray) -> NumericDistribution:
        """Bin a column at its own quantiles.

        Parameters
        ----------
        values : ndarray of shape (n_rows,), float, NaN where missing
        """
        known = values[~np.isnan(values)]
        below, above = _quantiles(known[known < 0]), _quantiles(known[known > 0])
        edges = tuple(np.unique([*below, -_TINY, 0.0, *above]).tolist())
        return cls.at(edges, values)

    @classmethod
    def at(cls, edges: Sequence[float], values: np.ndarray) -> NumericDistribution:
        """Count a column between given edges."""
        known = np.sort(values[~np.isnan(values)])
        # The few edges are looked up among the values, not the values among the edges.
        counts = np.diff(np.searchsorted(known, edges, side="right"), prepend=0, append=len(known))
        others = known[known != 0]
        middle = others[[(len(others) - 1) // 2, len(others) // 2]] if len(others) else np.array([np.nan])
        median = float(f"{middle.mean():.6g}")
        return cls(tuple(edges), tuple(counts.tolist()), len(values) - len(known), median)

    def count(self, values: np.ndarray) -> NumericDistribution:
        """Count another sample of the column between the same edges."""
        return NumericDistribution.at(self.edges, values)

    def distance_to(self, now: NumericDistribution) -> DistributionDistance:
        """Measure how far another sample, counted by `count`, lies from this one.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> then = NumericDistribution.of(rng.normal(0, 1, 20_000))
        >>> same, moved = (then.count(rng.normal(mean, 1, 20_000)) for mean in (0, 1))
        >>> round(then.distance_to(same).psi, 2), round(then.distance_to(moved).ks, 2)
        (0.0, 0.38)
        """
        groups, zero = self._stability_bins
        bins = [np.bincount(groups, d.counts) for d in (self, now)]
        values_only = np.arange(len(bins[0])) != zero
        psi, noise = stability(np.append(bins[0], self.missing), np.append(bins[1], now.missing))
        psi_of_values, noise_of_values = stability(bins[0][values_only], bins[1][values_only])
        return DistributionDistance(
            psi, psi_of_values, noise, noise_of_values, *kolmogorov_smirnov(self.counts, now.counts)
        )

    def change_in_words(self, now: NumericDistribution) -> str:
        """Word what changed most: the share of missing values, of zeros, or the median of the rest."""
        moved = {
            translatable("missing for {before:.0%}, now {after:.0%}"): (
                self.missing_share,
                now.missing_share,
            ),
            translatable("zero for {before:.0%}, now {after:.0%}"): (self.zero_share, now.zero_share),
        }
        sentence, (before, after) = max(moved.items(), key=lambda item: abs(item[1][1] - item[1][0]))
        if abs(after - before) >= _SHARE_TO_NAME:
            return translated(sentence, before=before, after=after)
        return translated("median {before:,.4g}, now {after:,.4g}", before=self.median, after=now.median)

    @property
    def zero_share(self) -> float:
        """Share of the rows whose value is zero."""
        return self.counts[self.edges.index(0.0)] / max(1, sum(self.counts) + self.missing)

    @property
    def missing_share(self) -> float:
        """Share of the rows without a value."""
        return self.missing / max(1, sum(self.counts) + self.missing)

    @cached_property
    def _stability_bins(self) -> tuple[np.ndarray, int]:
        """Merge the stored bins to about ten; return the group of each bin, and zero's group."""
        at_zero = self.edges.index(0.0)
        enough = (sum(self.counts) - self.counts[at_zero]) / STABILITY_BINS
        below = _merge(self.counts[:at_zero], enough)
        zero = int(below[-1]) + 1
        above = _merge(self.counts[at_zero + 1 :], enough)
        return np.concatenate([below, [zero], above + zero + 1]), zero

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return asdict(self) | {"median": None if np.isnan(self.median) else self.median}

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> NumericDistribution:
        """Read what `to_dict` wrote."""
        median = float("nan") if numbers["median"] is None else numbers["median"]
        return cls(tuple(numbers["edges"]), tuple(numbers["counts"]), numbers["missing"], median)


@dataclass(frozen=True)
class CategoryCounts:
    """A column of labels, such as channels, as counts.

    Parameters
    ----------
    counts : dict of str to int
        Rare labels together under "(others)": a label stands for many orders, never for one customer.

    Examples
    --------
    >>> channels = CategoryCounts.of(np.array(["web"] * 60 + ["shop"] * 40))
    >>> channels.change_in_words(channels.count(np.array(["shop"] * 40)))
    'web 60%, now 0%'
    """

    counts: dict[str, int]

    @classmethod
    def of(cls, values: np.ndarray) -> CategoryCounts:
        """Count the labels of a sample."""
        labels, counts = np.unique(values.astype(str), return_counts=True)
        frequent = np.argsort(-counts, kind="stable")[:LABELS]
        kept = {str(labels[k]): int(counts[k]) for k in frequent if counts[k] >= MIN_BIN_CUSTOMERS}
        others = len(values) - sum(kept.values())
        return cls(kept | ({OTHERS: others} if others else {}))

    def count(self, values: np.ndarray) -> CategoryCounts:
        """Count another sample; labels unknown here are among the others."""
        labels, counts = np.unique(values.astype(str), return_counts=True)
        found = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        known = {label: int(found.get(label, 0)) for label in self.counts if label != OTHERS}
        return CategoryCounts(known | {OTHERS: len(values) - sum(known.values())})

    def distance_to(self, now: CategoryCounts) -> DistributionDistance:
        """Measure how far another sample, counted by `count`, lies from this one; Kolmogorov-Smirnov is by label."""
        then_counts = np.array([self.counts.get(label, 0) for label in now.counts])
        now_counts = np.array(list(now.counts.values()))
        psi, noise = stability(then_counts, now_counts)
        return DistributionDistance(
            psi, 0.0, noise, 0.0, *kolmogorov_smirnov(then_counts.tolist(), now_counts.tolist())
        )

    def change_in_words(self, now: CategoryCounts) -> str:
        """Name the label that adds most to the stability index."""
        labels = list(now.counts)
        then_share, share = (
            np.array([mix.counts.get(k, 0) for k in labels]) / max(1, sum(mix.counts.values()))
            for mix in (self, now)
        )
        parts = (share - then_share) * np.log((share + FLOOR) / (then_share + FLOOR))
        most = int(parts.argmax())
        return translated(
            "{label} {before:.0%}, now {after:.0%}",
            label=labels[most],
            before=float(then_share[most]),
            after=float(share[most]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {"labels": self.counts}

    @classmethod
    def from_dict(cls, numbers: dict[str, Any]) -> CategoryCounts:
        """Read what `to_dict` wrote."""
        return cls(dict(numbers["labels"]))


def distance(then: NumericDistribution | CategoryCounts, values: np.ndarray) -> DistributionDistance:
    """Return how far a sample lies from a stored distribution."""
    if isinstance(then, CategoryCounts):
        return then.distance_to(then.count(values))
    return then.distance_to(then.count(values))


def compare(
    then: NumericDistribution | CategoryCounts, values: np.ndarray
) -> tuple[DistributionDistance, str]:
    """Return how far a sample lies from a stored distribution, and what changed most, in words."""
    if isinstance(then, CategoryCounts):
        counts = then.count(values)
        return then.distance_to(counts), then.change_in_words(counts)
    now = then.count(values)
    return then.distance_to(now), then.change_in_words(now)


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Return inner quantiles to six digits, none where there are too few values; never the extremes."""
    bins = min(FINE_BINS, len(values) // MIN_BIN_CUSTOMERS)
    if bins < 2:
        return np.empty(0)
    quantiles = np.quantile(values, np.arange(1, bins) / bins)
    return np.array([float(f"{q:.6g}") for q in quantiles])


def _merge(counts: Sequence[int], enough: float) -> np.ndarray:
    """Give neighbouring bins numbers so that each group holds ``enough``; what is left joins the last group."""
    groups, group, held = [], 0, 0
    for count in counts:
        groups.append(group)
        held += count
        if held >= enough and held:
            group, held = group + 1, 0
    merged = np.array(groups)
    return merged if not group else np.minimum(merged, group - (held < enough))
