"""The definition of a column of a report: its name, unit, formula and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal[
    "text",
    "date",
    "yes or no",
    "customers",
    "orders",
    "periods",
    "purchases",
    "days",
    "months",
    "money",
    "share",
    "number",
]


@dataclass(frozen=True)
class Indicator:
    """A column of a report's tables.

    Attributes
    ----------
    name : str, never changed: targets and stored tables refer to it
    unit : str
    meaning : str
    formula : str, in names of the catalogue; empty where the meaning says it
    better : "higher", "lower" or None, the direction in which a target is met
    is_rate : bool, whether it may have a target and a place among the indicators
    """

    name: str
    unit: Unit
    meaning: str
    formula: str = ""
    better: Literal["higher", "lower"] | None = None
