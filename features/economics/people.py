"""The file of customers: what is known of them besides their orders, by the log's ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from features.customer_groups import TIERS
from features.economics.log_agreement import match_customers
from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.errors import StayworthError
from features.language import translatable, translated
from features.log.settings import LogRules

ACQUISITION_CHANNEL = "acquisition_channel"
SHARE_OF_WALLET = "share_of_wallet"
VALUE_HIGH = "expected_value_high"
VALUE_TIER = "value_tier"
INACTIVITY, DORMANT = "inactivity_days", "dormant_after_days"
_RANK = {tier: rank for rank, tier in enumerate(TIERS)}


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
                    translated(
                        "{name} gives the customer {customer!r} two values of {column}: {one!r} and {other!r}. "
                        "Keep one row for each customer.",
                        name=self.file.name,
                        customer=customer,
                        column=column,
                        one=found[customer],
                        other=value,
                    )
                )
        return found


def read_wallets(people: CustomerTable) -> dict[str, float]:
    """Read the column ``share_of_wallet``, 0.6 or 60%, by customer; customers without one are left out.

    Raises
    ------
    StayworthError
        If a share is no number from 0 to 1.
    """
    shares, _ = people.file.shares(SHARE_OF_WALLET, missing=True)
    people.file.refuse(
        shares > 1,
        translated("have a {column} above 1", column=SHARE_OF_WALLET),
        SHARE_OF_WALLET,
        remedy=translatable("Write 60% as 0.6 or 60%"),
    )
    known = people.values(SHARE_OF_WALLET)
    of_row = dict(zip(people.file.texts(SHARE_OF_WALLET), shares.tolist(), strict=True))
    return {customer: of_row[text] for customer, text in known.items() if text is not None}


@dataclass(frozen=True)
class ScoredCustomers:
    """What a scored list says of the log's customers.

    Attributes
    ----------
    potential : dict of customer ids to their expected value, cents; what has several ids is added up
    high : dict of customer ids to the upper end of its interval, cents, alike; None if the list has none
    tiers : dict of customer ids to their tier, of several ids the highest; empty if the list has none
    snapshot : date or None, of the list
    currency : str or None, of its money, where it names it
    inactivity_days : int or None, until how long after a purchase its customers are active
    notes : list of str, sentences about customers who are not in the log
    """

    potential: dict[str, int]
    high: dict[str, int] | None
    tiers: dict[str, str | None]
    snapshot: date | None
    inactivity_days: int | None
    notes: list[str]
    currency: str | None = None


def read_scored(
    path: str | Path,
    known: Collection[str],
    rules: LogRules = PLAIN_RULES,
    aliases: Mapping[str, str] | None = None,
) -> ScoredCustomers:
    """Read a scored list: ``expected_value`` of each customer, and ``value_tier`` and ``snapshot_date`` if it has them.

    Raises
    ------
    StayworthError
        If the file cannot be read, or names a tier that there is not.
    MatchError
        If it names no customer of the log.
    """
    file = OptionalFile(path, ["customer_id", "expected_value"], rules)
    given = [(aliases or {}).get(each, each) for each in file.ids("customer_id")]
    pairs, notes = match_customers(given, known, file.name)

    def added_up(column: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for customer, value in zip(given, file.cents(column, negative=True), strict=True):
            if customer in pairs:
                found[pairs[customer]] = found.get(pairs[customer], 0) + int(value)
        return found

    high = added_up(VALUE_HIGH) if file.has(VALUE_HIGH) else None
    tiers: dict[str, str | None] = {}
    if file.has(VALUE_TIER):
        named = file.texts(VALUE_TIER)
        strange = np.array([name is not None and name not in _RANK for name in named], dtype=bool)
        file.refuse(strange, translated("have a {column} that there is not", column=VALUE_TIER), VALUE_TIER)
        for customer, tier in zip(given, named, strict=True):
            if customer in pairs and tier is not None:
                best = tiers.get(pairs[customer]) or tier
                tiers[pairs[customer]] = min(best, tier, key=_RANK.__getitem__)
    currency = file.currency("expected_value")
    potential = added_up("expected_value")
    return ScoredCustomers(potential, high, tiers, _snapshot(file), _inactivity(file), notes, currency)


def _snapshot(file: OptionalFile) -> date | None:
    """Return the latest snapshot of a scored list."""
    if not file.has("snapshot_date") or not len(file):
        return None
    return date(1970, 1, 1) + timedelta(days=int(file.days("snapshot_date").max()))


def _inactivity(file: OptionalFile) -> int | None:
    """Return the inactivity window of a scored list, of one from before it was written that of the dormant."""
    for column in (INACTIVITY, DORMANT):
        days = file.numbers(column, missing=True) if file.has(column) else np.array([])
        stated = np.unique(days[np.isfinite(days) & (days >= 1)])
        if len(stated) == 1:
            return int(stated[0])
    return None
