"""Phrases: a text with numbers in it, written for many customers at once.

A phrase is a format string, with the formats of `features.language`. Each distinct text is written once: of
23,570 customers a few hundred differ in "silent for 9 weeks".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

import numpy as np

from features.language import writer, written
from features.table.columns import Columns

_FEW = 20  # up to here, finding the distinct texts takes longer than writing all


@dataclass(frozen=True)
class Phrase:
    """A format string in the chosen language.

    Parameters
    ----------
    template : str
    """

    template: str

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
        >>> columns = {"days": np.array([1.0, 65.0, 400.0, np.nan]), "n": np.array([1, 2, 3, 4])}
        >>> orders = Phrase("{n:order|orders} in {days:span}")
        >>> orders.fill(columns, np.arange(4)).tolist()
        ['1 order in 1 day', '2 orders in 9 weeks', '3 orders in 13 months', '']
        """
        if len(rows) <= _FEW:
            filled = np.empty(len(rows), dtype=object)
            filled[:] = [self._of_one(columns, row) for row in rows.tolist()]
            return filled
        words, code = [], np.zeros(len(rows), dtype=np.int64)
        for _, name, shape in self._parts:
            if name:
                texts, each = self._worded(columns[name][rows], shape)
                words.append(texts)
                code = code * len(texts) + each  # at most three numbers in a phrase: far from overflow
        distinct, back = np.unique(code, return_inverse=True)
        places = np.unravel_index(distinct, [len(texts) for texts in words]) if words else ()
        chosen = [np.array(texts, dtype=object)[at].tolist() for texts, at in zip(words, places, strict=True)]
        filled = np.empty(len(distinct), dtype=object)
        filled[:] = [self._joined(*each) for each in zip(*chosen, strict=True)] if words else [self._joined()]
        return np.asarray(filled[back])

    def _of_one(self, columns: Columns, row: int) -> str:
        numbers = ((float(columns[name][row]), shape) for _, name, shape in self._parts if name)
        return self._joined(*("" if value != value else written(value, shape) for value, shape in numbers))

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
        write = writer(shape)
        texts = ["" if value != value else write(value) for value in distinct.tolist()]
        numbered = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        return list(numbered), np.array([numbered[text] for text in texts])[place]
