"""Phrases: a text with numbers in it, written for many customers at once.

A phrase is a format string. Besides Python's own formats it knows ``{days:span}``, a number of days in the unit that
one would say it in, and ``{number:order|orders}``, a count with its noun. Each distinct text is written once: of
23,570 customers a few hundred differ in "silent for 9 weeks".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

import numpy as np

from features.table.columns import Columns

SPANS = {"day": (14, 1.0), "week": (182, 7.0), "month": (1096, 30.4375), "year": (np.inf, 365.25)}
"""Unit of a span: up to how many days it is used, and its length in days."""

_FEW = 20  # up to here, finding the distinct texts takes longer than writing all


@dataclass(frozen=True)
class Phrase:
    """A format string, with the words of the units of time.

    Parameters
    ----------
    template : str
    units : mapping of day, week, month, year to "singular|plural"
    """

    template: str
    units: Mapping[str, str]

    @cached_property
    def _parts(self) -> list[tuple[str, str | None, str]]:
        """Literal text, the number that follows, and its format."""
        return [(text, name, shape or "") for text, name, shape, _ in Formatter().parse(self.template)]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the numbers."""
        return tuple(dict.fromkeys(name for _, name, _ in self._parts if name))

    def fill(self, columns: Columns, rows: np.ndarray) -> np.ndarray:
        """Write the phrase for customers.

        Parameters
        ----------
        columns : Columns
        rows : ndarray of int, shape (n_rows,), which customers

        Returns
        -------
        ndarray of shape (n_rows,), of str; empty where one of the numbers is missing

        Examples
        --------
        >>> units = {"day": "day|days", "week": "week|weeks", "month": "month|months", "year": "year|years"}
        >>> columns = {"days": np.array([1.0, 65.0, 400.0, np.nan]), "n": np.array([1, 2, 3, 4])}
        >>> orders = Phrase("{n:order|orders} in {days:span}", units)
        >>> orders.fill(columns, np.arange(4)).tolist()
        ['1 order in 1 day', '2 orders in 9 weeks', '3 orders in 13 months', '']
        """
        if len(rows) <= _FEW:
            written = np.empty(len(rows), dtype=object)
            written[:] = [self._of_one(columns, row) for row in rows.tolist()]
            return written
        words, code = [], np.zeros(len(rows), dtype=np.int64)
        for _, name, shape in self._parts:
            if name:
                texts, each = self._worded(columns[name][rows], shape)
                words.append(texts)
                code = code * len(texts) + each  # at most three numbers in a phrase: far from overflow
        distinct, back = np.unique(code, return_inverse=True)
        places = np.unravel_index(distinct, [len(texts) for texts in words]) if words else ()
        chosen = [np.array(texts, dtype=object)[at].tolist() for texts, at in zip(words, places, strict=True)]
        written = np.empty(len(distinct), dtype=object)
        written[:] = (
            [self._joined(*each) for each in zip(*chosen, strict=True)] if words else [self._joined()]
        )
        return np.asarray(written[back])

    def _of_one(self, columns: Columns, row: int) -> str:
        numbers = ((float(columns[name][row]), shape) for _, name, shape in self._parts if name)
        return self._joined(
            *("" if value != value else self._number(value, shape) for value, shape in numbers)
        )

    def _joined(self, *words: str) -> str:
        """Return the text with the numbers in words; empty if one of them is missing."""
        return self._frame(*words) if all(words) else ""

    @cached_property
    def _frame(self) -> Callable[..., str]:
        literals = (text.replace("{", "{{").replace("}", "}}") for text, _, _ in self._parts)
        return "".join(
            text + ("{}" if name else "") for text, (_, name, _) in zip(literals, self._parts, strict=True)
        ).format

    def _worded(self, values: np.ndarray, shape: str) -> tuple[list[str], np.ndarray]:
        """Return the distinct texts of the numbers, empty for a missing one, and which of them each value has."""
        distinct, place = np.unique(values.astype(np.float64), return_inverse=True)
        texts = ["" if value != value else self._number(value, shape) for value in distinct.tolist()]
        numbered = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        return list(numbered), np.array([numbered[text] for text in texts])[place]

    def _number(self, value: float, shape: str) -> str:
        if shape == "span":
            return self._span(value)
        return _counted(value, shape) if "|" in shape else format(value, shape)

    def _span(self, days: float) -> str:
        unit, length = next((name, length) for name, (end, length) in SPANS.items() if days < end)
        return _counted(days / length, self.units[unit])


def _counted(number: float, noun: str) -> str:
    singular, plural = noun.split("|")
    rounded = f"{number:,.0f}"
    return f"{rounded} {singular if rounded == '1' else plural}"
