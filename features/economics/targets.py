"""Targets: ``targets.csv (indicator, period, segment, target)`` beside what became of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.economics.catalogue import INDICATORS, TARGETED
from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.economics.periods import Periods
from features.economics.segments import EVERYONE
from features.language import currency, translatable, translated
from features.log.findings import Finding
from features.log.settings import LogRules
from features.suggestion import did_you_mean

_NO_PERIOD = {
    "week": translatable("have a period that is no week"),
    "month": translatable("have a period that is no month"),
    "quarter": translatable("have a period that is no quarter"),
    "year": translatable("have a period that is no year"),
}
MET, MISSED, PROVISIONAL, NO_VALUE = "met", "missed", "provisional", ""


@dataclass(frozen=True)
class Targets:
    """Targets of indicators, one row each.

    Attributes
    ----------
    rows : DataFrame
        indicator, period (number, -1 for one that the log does not have), label, segment, target
    findings : tuple of Finding
    """

    rows: pd.DataFrame
    findings: tuple[Finding, ...] = ()

    @classmethod
    def read(
        cls, path: str | Path, periods: Periods, segments: list[str], rules: LogRules = PLAIN_RULES
    ) -> Self:
        """Read targets; an empty segment means all customers.

        Raises
        ------
        StayworthError
            If the file cannot be read, an indicator, a period or a segment is not known, a target stands twice, or a
            share is none.
        """
        file = OptionalFile(path, ["indicator", "period", "target"], rules)
        names = [name or "" for name in file.texts("indicator")]
        _require_known(
            file, "indicator", names, TARGETED, translatable("name no indicator that a target can be set for")
        )
        labels = [label or "" for label in file.texts("period")]
        odd = np.array([not periods.is_label(label) for label in labels], dtype=bool)
        file.refuse(
            odd,
            _NO_PERIOD[periods.length],
            "period",
            remedy=periods.how_to_write().rstrip("."),
        )
        places = [periods.number(label) for label in labels]
        given = file.texts("segment") if file.has("segment") else [None] * len(file)
        chosen = [segment or EVERYONE for segment in given]
        _require_known(
            file,
            "segment",
            chosen,
            segments,
            translatable("name no segment of the report"),
            " " + translated("--segment chooses by what customers are told apart"),
        )
        rows = pd.DataFrame(
            {
                "indicator": names,
                "period": [-1 if place is None else place for place in places],
                "label": labels,
                "segment": chosen,
                "target": _target_values(file, names),
            }
        )
        twice = rows.duplicated(["indicator", "label", "segment"]).to_numpy()
        file.refuse(
            twice,
            translatable("repeat a target"),
            "indicator",
            "period",
            remedy=translatable("Keep one of each"),
        )
        return cls(rows, tuple(file.findings))

    def judged(self, table: pd.DataFrame, periods: Periods) -> pd.DataFrame:
        """Compare each target with the indicator.

        A target is met where the value is as good or better: churn, losses, refunds and acquisition costs are better
        the lower they are, all others the higher.

        Parameters
        ----------
        table : DataFrame, as `features.economics.indicators.indicators` returns it, perhaps with ``cac``

        Returns
        -------
        DataFrame of shape (n_targets, 6)
            indicator, period, segment, target, value, status
        """
        labels = [period.label for period in periods]
        found = table.set_index(["segment", "period"])
        rows = []
        for each in self.rows.itertuples():
            if each.period < 0 or each.indicator not in found:
                rows.append([each.indicator, each.label, each.segment, each.target, np.nan, NO_VALUE])
                continue
            own = found.loc[(each.segment, labels[each.period])]
            value, open_cell = own[each.indicator], own["provisional"]
            mark = f"{each.indicator}_provisional"
            if mark in own:
                open_cell = open_cell or own[mark]
            rows.append(
                [
                    each.indicator,
                    labels[each.period],
                    each.segment,
                    each.target,
                    value,
                    _status(each.indicator, value, each.target, bool(open_cell)),
                ]
            )
        return pd.DataFrame(rows, columns=["indicator", "period", "segment", "target", "value", "status"])


def target_in_words(row: pd.Series, money_unit: str = "") -> str:
    """Say in words what became of a target.

    Parameters
    ----------
    row : Series of indicator, period, segment, value, target
    money_unit : str, what money is called; empty if that is not known

    Examples
    --------
    >>> row = {"indicator": "churn_rate", "period": "1998-05", "segment": "all", "value": 0.25, "target": 0.2}
    >>> target_in_words(pd.Series(row))
    'churn rate in 1998-05 was 25.0%, the target 20.0%'
    """
    judged = INDICATORS[row["indicator"]]
    unit = f" {currency(money_unit)}" if judged.unit == "money" and money_unit else ""
    named = {
        "indicator": judged.title,
        "period": row["period"],
        "value": judged.shown(row["value"]) + unit,
        "target": judged.shown(row["target"]) + unit,
    }
    if row["segment"] == EVERYONE:
        return translated("{indicator} in {period:label} was {value}, the target {target}", **named)
    return translated(
        "{indicator} of {segment} in {period:label} was {value}, the target {target}",
        segment=INDICATORS["segment"].shown(row["segment"]),
        **named,
    )


def _target_values(file: OptionalFile, names: list[str]) -> NDArray[np.float64]:
    """Read the targets; a share may be written as 0.2 or 20%."""
    found, percent = file.shares("target", negative=True)
    shares = np.array([INDICATORS[name].unit == "share" for name in names], dtype=bool)
    file.refuse(
        percent & ~shares,
        translatable("have a percentage for what is no share"),
        "indicator",
        "target",
        remedy=translatable("Write it as a plain number"),
    )
    growth = np.array([name.endswith("growth") for name in names], dtype=bool)
    # A base may shrink, or more than double: then the % sign says that it is meant.
    outside = (found > 1) & ~(growth & percent) | (found < 0) & ~growth
    file.refuse(
        shares & outside,
        translatable("have a target that is no share from 0 to 1"),
        "indicator",
        "target",
        remedy=translatable("Write 20% as 0.2 or 20%"),
    )
    return found


def _require_known(
    file: OptionalFile, column: str, names: list[str], known: Collection[str], what: str, remedy: str = ""
) -> None:
    """Refuse rows with a name that is not known; the error lists those that are, the nearest first."""
    unknown = np.array([name not in known for name in names], dtype=bool)
    if unknown.any():
        near = did_you_mean(names[int(unknown.argmax())], known).strip()
        there = translated("There are {names}.", names=list(known))
        file.refuse(
            unknown,
            what,
            column,
            remedy=" ".join(filter(None, (near, there + remedy))).rstrip("."),
        )


def _status(indicator: str, value: float, target: float, provisional: bool) -> str:
    if np.isnan(value):
        return NO_VALUE
    if provisional:
        return PROVISIONAL
    met = value <= target if INDICATORS[indicator].better == "lower" else value >= target
    return MET if met else MISSED
