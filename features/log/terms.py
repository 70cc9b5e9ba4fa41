"""What decides the meaning of a log's numbers, beyond its rows: two logs are comparable only if it is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from features.language import translated
from features.log.currencies import same_currency
from features.log.findings import Finding
from features.log.prices import Prices

_WORDS = {
    "timezone": ("the days of its orders are in the time zone", "--timezone"),
    "currency": ("its amounts are in the currency", "--currency"),
    "amount_expression": ("the amounts are", "--amount-expression"),
    "where": ("its rows are those where", "--where"),
}


@dataclass(frozen=True)
class LogTerms:
    """How a log was read.

    Attributes
    ----------
    timezone : str, in which the days of the orders are
    currency : str or None, where the log or the caller names it
    amount_expression : str or None, the formula of the amounts, in one way of spacing
    where : str or None, the condition by which rows were chosen
    prices : Prices or None, by which money was turned into that of one month
    """

    timezone: str = "UTC"
    currency: str | None = None
    amount_expression: str | None = None
    where: str | None = None
    prices: Prices | None = None

    def differences(self, other: LogTerms, whose: str) -> list[Finding]:
        """Return what another log was read by otherwise, as findings that stop the reading.

        A currency that one of them does not name, or names otherwise (€ for EUR), contradicts nothing.

        Parameters
        ----------
        other : LogTerms
        whose : str, the other log in words

        Examples
        --------
        >>> (found,) = LogTerms("Asia/Tehran").differences(LogTerms(), "the log that version 3 learnt from")
        >>> print(found.name, found.message, sep=": ")  # doctest: +NORMALIZE_WHITESPACE
        other-timezone: In this log the days of its orders are in the time zone 'Asia/Tehran', in the log that
        version 3 learnt from 'UTC'. Use --timezone 'UTC', or train again.
        """
        found = self._other_money(other, whose)
        for name, (what, flag) in _WORDS.items():
            mine, theirs = _plain(getattr(self, name)), _plain(getattr(other, name))
            unknown = name == "currency" and (mine is None or theirs is None or same_currency(mine, theirs))
            if mine == theirs or unknown:
                continue
            remedy = f"Use {flag} {theirs!r}" if theirs else f"Leave {flag} out"
            found.append(
                Finding(
                    f"other-{name.replace('_', '-')}",
                    f"In this log {what} {_named(mine)}, in {whose} {_named(theirs)}. {remedy}, or train again.",
                    fatal=True,
                )
            )
        return found

    def _other_money(self, other: LogTerms, whose: str) -> list[Finding]:
        """Find money as booked beside real money, money of another month, and another index of prices."""
        mine, theirs = self.prices, other.prices
        if mine and theirs and mine.base == theirs.base:
            if not (month := theirs.changed(mine)):
                return []
            message = translated(
                "The deflator has another index for {month:label} than that of {whose}. Give the same one, or train "
                "again.",
                month=month,
                whose=whose,
            )
            return [Finding("other-index", message)]
        if mine is None and theirs is None:
            return []
        message = translated(
            "In this log money is {mine}, in {whose} {theirs}. {remedy}, or train again.",
            mine=_money(mine),
            whose=whose,
            theirs=_money(theirs),
            remedy=translated("Give --deflator") if theirs else translated("Leave --deflator out"),
        )
        return [Finding("other-deflator", message, fatal=True)]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> LogTerms:
        """Read what `to_dict` wrote."""
        found = {field.name: record.get(field.name, field.default) for field in fields(cls)}
        prices = found["prices"]
        return cls(**{**found, "prices": Prices.from_dict(prices) if prices else None})


def _plain(text: str | None) -> str | None:
    return None if text is None else " ".join(text.split())


def _money(prices: Prices | None) -> str:
    if prices is None:
        return translated("as booked")
    return translated("that of {month:label}, by a deflator", month=prices.base)


def _named(text: str | None) -> str:
    return "as they stand" if text is None else repr(text)
