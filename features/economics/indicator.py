"""The definition of a column of a report: its name, unit, formula and meaning."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

import pandas as pd

from features.language import translated, translated_in, written

_WITHOUT_CENTS = 999.995

Unit = Literal[
    "text",
    "period",
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
    "that of the indicator",
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
    called : str, the name as people read it, where `name` does not say enough
    words : tuple of str, what the product itself writes into a text column, besides names from files
    said : mapping of words to what people read in their place

    Examples
    --------
    >>> margin = Indicator("net_margin", "money", "Margin less customer costs.")
    >>> margin.title, margin.shown(-12_345.6), margin.shown(None)
    ('net margin', '-12,346', '')
    """

    name: str
    unit: Unit
    meaning: str
    formula: str = ""
    better: Literal["higher", "lower"] | None = None
    words: tuple[str, ...] = ()
    called: str = ""
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def explanation(self) -> str:
        """The meaning and, after an equals sign, the formula, in the chosen language."""
        meaning = translated(self.meaning)
        return f"{meaning} = {translated(self.formula)}" if self.formula else meaning

    @property
    def wording(self) -> str:
        """The name as people read it, in English."""
        return self.called or self.name.replace("_", " ")

    @property
    def title(self) -> str:
        """The name as people read it, in the chosen language."""
        return translated_in("column", self.wording)

    def shown(self, value: Any) -> str:
        """Write a value as people read its unit, in the chosen language; a missing one is empty, for it is not 0."""
        if pd.isna(value):
            return ""
        match self.unit:
            case "yes or no":
                return translated("yes") if value else translated("no")
            case "text":
                return self.shown_word(str(value))
            case "period":
                return self.shown_word(str(value)) if value in self.words else written(str(value), "label")
            case "date":
                return written(value if isinstance(value, datetime.date) else str(value), "date")
        number = float(value)
        if not isfinite(number):
            return "–"
        return written(number, self._shape(number))

    def shown_word(self, value: str) -> str:
        """Translate what the product itself writes; leave what comes from a file."""
        return translated_in("value", self.said.get(value, value)) if value in self.words else value

    def _shape(self, number: float) -> str:
        if self.unit == "share":
            return ".1%"
        if self.unit == "money":
            return ",.0f" if abs(number) >= _WITHOUT_CENTS else ",.2f"
        return ",.0f" if number.is_integer() else ",.2f"
