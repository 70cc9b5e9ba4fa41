"""What decides the meaning of a log's numbers, beyond its rows: two logs are comparable only if it is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from features.log.findings import Finding

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
    """

    timezone: str = "UTC"
    currency: str | None = None
    amount_expression: str | None = None
    where: str | None = None

    def differences(self, other: LogTerms, whose: str) -> list[Finding]:
        """Return what another log was read by otherwise, as findings that stop the reading.

        A currency that one of them does not name contradicts nothing.

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
        found = []
        for field in fields(self):
            mine, theirs = _plain(getattr(self, field.name)), _plain(getattr(other, field.name))
            unknown = field.name == "currency" and None in (mine, theirs)
            if mine == theirs or unknown:
                continue
            what, flag = _WORDS[field.name]
            remedy = f"Use {flag} {theirs!r}" if theirs else f"Leave {flag} out"
            found.append(
                Finding(
                    f"other-{field.name.replace('_', '-')}",
                    f"In this log {what} {_named(mine)}, in {whose} {_named(theirs)}. {remedy}, or train again.",
                    fatal=True,
                )
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> LogTerms:
        """Read what `to_dict` wrote."""
        return cls(**{field.name: record.get(field.name, field.default) for field in fields(cls)})


def _plain(text: str | None) -> str | None:
    return None if text is None else " ".join(text.split())


def _named(text: str | None) -> str:
    return "as they stand" if text is None else repr(text)
