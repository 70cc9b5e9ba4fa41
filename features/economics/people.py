"""The file of customers: what is known of them besides their orders, by the log's ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from features.economics.optional_files import PLAIN_RULES, OptionalFile, match_customers
from features.errors import StayworthError
from features.log.settings import LogRules

ACQUISITION_CHANNEL = "acquisition_channel"


class CustomerTable:
    """A file with a row for each customer.

    Parameters
    ----------
    path : file with a column ``customer_id``
    known : ids of the log's customers
    rules : LogRules
    aliases : mapping of other ids to customers
    loosely : bool, match ids as in `features.log.matching`

    Attributes
    ----------
    notes : list of str, sentences about customers who are not in the log

    Raises
    ------
    StayworthError
        If the file cannot be read.
    MatchError
        If it names no customer of the log.
    """

    def __init__(
        self,
        path: str | Path,
        known: Collection[str],
        rules: LogRules = PLAIN_RULES,
        aliases: Mapping[str, str] | None = None,
        *,
        loosely: bool = False,
    ) -> None:
        self.file = OptionalFile(path, ["customer_id"], rules)
        given = [(aliases or {}).get(each, each) for each in self.file.ids("customer_id")]
        pairs, self.notes = match_customers(given, known, self.file.name, loosely=loosely)
        self._customers = [pairs.get(each) for each in given]

    def has(self, column: str) -> bool:
        """Tell whether the file has a column."""
        return self.file.has(column)

    def values(self, column: str) -> dict[str, str | None]:
        """Return a column by customer; None where the cell is empty.

        Raises
        ------
        StayworthError
            If there is no such column, or a customer has two values.
        """
        self.file.require_column(column)
        found: dict[str, str | None] = {}
        for customer, value in zip(self._customers, self.file.texts(column), strict=True):
            if customer is not None and found.setdefault(customer, value) != value:
                raise StayworthError(
                    f"{self.file.name} gives the customer {customer!r} two values of {column}: {found[customer]!r} and "
                    f"{value!r}. Keep one row for each customer."
                )
        return found


def read_potential(
    path: str | Path,
    known: Collection[str],
    rules: LogRules = PLAIN_RULES,
    aliases: Mapping[str, str] | None = None,
) -> tuple[dict[str, int], list[str]]:
    """Read the expected value of each customer from a scored list, in cents; add up what has several ids.

    Returns
    -------
    dict by the log's ids, and sentences about customers who are not in the log

    Raises
    ------
    StayworthError
        If the file cannot be read.
    MatchError
        If it names no customer of the log.
    """
    file = OptionalFile(path, ["customer_id", "expected_value"], rules)
    given = [(aliases or {}).get(each, each) for each in file.ids("customer_id")]
    pairs, notes = match_customers(given, known, file.name)
    found: dict[str, int] = {}
    for customer, value in zip(given, file.cents("expected_value", negative=True), strict=True):
        if customer in pairs:
            found[pairs[customer]] = found.get(pairs[customer], 0) + int(value)
    return found, notes
