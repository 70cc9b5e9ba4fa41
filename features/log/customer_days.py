"""Customers as numbers, and the days on which each has rows: what the checks of a log count by.

Grouping millions of rows by the text of an id takes ten times as long as by a number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

_DAY_BITS = 24  # days since the first: 45,000 years
_BLOCK_ROWS = 1 << 23
_PART_ROWS = 1 << 24
_CUSTOMER_ROWS = 8
"""How many purchase days take as much memory as the features of a customer."""

_MIX = np.uint64(0x9E3779B97F4A7C15)


class CustomerDays(NamedTuple):
    """The distinct pairs of customer and day, by customer, then by day; both are numbers."""

    customers: Codes
    days: Codes


def encoded(texts: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return texts as the distinct ones, in the order in which they come, and a number for each row.

    Examples
    --------
    >>> found = encoded(pa.chunked_array([["b", "a"], ["b", None]]))
    >>> found.dictionary.to_pylist(), found.indices.to_pylist()
    (['b', 'a'], [0, 1, 0, None])
    """
    # What is encoded here has one dictionary; to unify that of each chunk would take as many hashes as chunks.
    numbered = pa.types.is_dictionary(texts.type)
    parts = (texts.unify_dictionaries() if numbered else texts.dictionary_encode()).chunks
    if not parts:
        return pa.array([], pa.dictionary(pa.int32(), pa.string()))
    # Numbers alone are put together: texts of more than 2 GB could not be.
    places = pa.concat_arrays([part.indices.cast(pa.int32()) for part in parts])
    return _in_turn(pa.DictionaryArray.from_arrays(places, parts[0].dictionary))


def kept(texts: pa.DictionaryArray, rows: npt.NDArray[np.bool_]) -> pa.DictionaryArray:
    """Return some rows of texts, as `encoded` would.

    Examples
    --------
    >>> kept(encoded(pa.chunked_array([["b", "a", "c"]])), np.array([True, False, True])).to_pylist()
    ['b', 'c']
    """
    return texts if rows.all() else _in_turn(texts.filter(pa.array(rows)))


def _in_turn(texts: pa.DictionaryArray) -> pa.DictionaryArray:
    """Give texts the numbers of the order in which they come, without those of no row."""
    if _are_in_turn(texts):
        return texts
    again = texts.indices.dictionary_encode()
    return pa.DictionaryArray.from_arrays(again.indices, texts.dictionary.take(again.dictionary))


def _are_in_turn(texts: pa.DictionaryArray) -> bool:
    """Tell whether each number comes after all smaller ones, and none is missing: by a look, without a hash."""
    numbers = texts.indices.fill_null(-1).to_numpy()
    highest = -1
    for start in range(0, len(numbers), _BLOCK_ROWS):
        so_far = np.maximum.accumulate(numbers[start : start + _BLOCK_ROWS]).clip(min=highest)
        if np.diff(so_far, prepend=highest).max() > 1:
            return False
        highest = int(so_far[-1])
    return highest == len(texts.dictionary) - 1


def codes_of(texts: pa.DictionaryArray) -> Codes:
    """Return the number of each row's text; none may be missing.

    Examples
    --------
    >>> codes_of(encoded(pa.chunked_array([["b", "a", "b"]])))
    array([0, 1, 0], dtype=int32)
    """
    return np.asarray(texts.indices.to_numpy())


def block_bounds(customers: Codes, most: int, *, customer_rows: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the first number of some customers, and of the next, for blocks of about as many rows each.

    Parameters
    ----------
    customers : ndarray of shape (n_rows,), numbers from 0
    most : int, rows of a block; a customer with more has one of their own
    customer_rows : int
        As many rows more a customer counts for.

    Examples
    --------
    >>> list(block_bounds(np.array([0, 1, 1, 2, 2, 3], dtype=np.int32), 3))
    [(0, 1), (1, 3), (3, 4)]
    """
    block = np.cumsum(np.bincount(customers) + customer_rows) // most
    firsts = np.flatnonzero(np.diff(block, prepend=-1, append=block[-1:] + 1))
    yield from pairwise(firsts.tolist())


def part_bounds(customers: Codes) -> list[tuple[int, int]]:
    """Return the bounds of the parts that a log is described and scored in: one where it is no large one.

    Parameters
    ----------
    customers : ndarray of shape (n_rows,), numbers from 0
    """
    if len(customers) * (1 + _CUSTOMER_ROWS) <= _PART_ROWS:
        return [(0, int(customers.max(initial=-1)) + 1)]
    return list(block_bounds(customers, _PART_ROWS, customer_rows=_CUSTOMER_ROWS))


def numbered_by_text(texts: pa.DictionaryArray) -> tuple[Codes, pa.Array]:
    """Return a number for each row that is ordered as its text, byte by byte, and the texts in that order.

    Examples
    --------
    >>> numbers, names = numbered_by_text(encoded(pa.chunked_array([["b", "a", "b"]])))
    >>> numbers, names.to_pylist()
    (array([1, 0, 1], dtype=int32), ['a', 'b'])
    """
    order = pc.sort_indices(texts.dictionary)
    numbers = np.empty(len(order), dtype=np.int32)
    numbers[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    return numbers[texts.indices.to_numpy()], texts.dictionary.take(order)


def customer_blocks(customers: Codes) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the rows of some customers, then those of the next: what is computed in between stays small.

    Parameters
    ----------
    customers : ndarray of shape (n_rows,), numbers from 0

    Yields
    ------
    ndarray of positions, ascending; each customer's rows are together in one

    Examples
    --------
    >>> [rows.tolist() for rows in customer_blocks(np.array([1, 0, 1], dtype=np.int32))]
    [[0, 1, 2]]
    """
    if len(customers) <= _BLOCK_ROWS:
        yield np.arange(len(customers))
        return
    for first, end in block_bounds(customers, _BLOCK_ROWS):
        yield np.flatnonzero((customers >= first) & (customers < end))


def day_keys(customers: Codes, days: Codes) -> Integers:
    """Return a number for each row that is ordered as its customer and, within the customer, its day."""
    keys = customers.astype(np.int64)
    # In place, here and below: a large log's keys take as much room as its orders.
    keys <<= _DAY_BITS
    keys |= days - days.min(initial=0)
    return keys


def customer_days(customers: Codes, days: Codes) -> CustomerDays:
    """Return the distinct pairs of customer and day.

    Parameters
    ----------
    customers : ndarray of shape (n_rows,), numbers from 0
    days : ndarray of int32 of shape (n_rows,), days since 1970-01-01

    Examples
    --------
    >>> found = customer_days(np.array([1, 1, 0]), np.array([10231, 10231, 10228]))
    >>> found.customers.tolist(), found.days.tolist()
    ([0, 1], [10228, 10231])
    """
    # By sorting: numpy.unique, which hashes, takes six times as long.
    pairs = day_keys(customers, days)
    pairs.sort()
    is_new = np.ones(len(pairs), dtype=bool)
    is_new[1:] = pairs[1:] != pairs[:-1]
    pairs = pairs[is_new]
    of_pairs, numbers = np.empty(len(pairs), dtype=np.int32), np.empty(len(pairs), dtype=np.int32)
    np.right_shift(pairs, _DAY_BITS, out=of_pairs, casting="unsafe")
    np.bitwise_and(pairs, (1 << _DAY_BITS) - 1, out=numbers, casting="unsafe")
    numbers += days.min(initial=0)
    return CustomerDays(of_pairs, numbers)


def drawn_rows(ids: pa.DictionaryArray, customers: int, seed: int) -> npt.NDArray[np.bool_] | None:
    """Mark the rows of some customers, drawn by a hash of their ids; None if there are no more than ``customers``.

    Those with the lowest MD5 of the seed and the id are drawn: whoever is in a small sample is in a larger one, and
    every database that knows MD5 draws the same.

    Examples
    --------
    >>> ids = encoded(pa.chunked_array([["a", "b", "a", "c"]]))
    >>> drawn_rows(ids, 2, seed=0)
    array([ True,  True,  True, False])
    >>> drawn_rows(ids, 3, seed=0) is None
    True
    """
    if len(ids.dictionary) <= customers:
        return None
    texts = (f"{seed}:{each}".encode() for each in ids.dictionary.to_pylist())
    digests = b"".join([hashlib.md5(text, usedforsecurity=False).digest() for text in texts])
    high, low = np.frombuffer(digests, dtype=">u8").astype(np.uint64).reshape(-1, 2).T
    drawn = np.zeros(len(high), dtype=bool)
    drawn[np.lexsort((low, high))[:customers]] = True
    return np.asarray(drawn[ids.indices.to_numpy()])


def perhaps_repeated(*columns: Integers | Codes) -> npt.NDArray[np.bool_]:
    """Mark the rows that may equal another one in all columns: every one that does, and hardly any other.

    Examples
    --------
    >>> perhaps_repeated(np.array([1, 2, 1]), np.array([5, 5, 5]))
    array([ True, False,  True])
    """
    hashed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        hashed ^= column.astype(np.int64).view(np.uint64)
        hashed *= _MIX
        hashed ^= hashed >> np.uint64(29)
    ordered = np.sort(hashed)
    several = ordered[1:][ordered[1:] == ordered[:-1]]
    if not several.size:
        return np.zeros(hashed.size, dtype=bool)
    places = np.searchsorted(several, hashed).clip(max=several.size - 1)
    return np.asarray(several[places] == hashed)
