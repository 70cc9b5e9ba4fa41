"""The summary of a scored list: where every row and every customer went, printed or as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer

from features.commands.console import show_table
from features.commands.log import row_balance
from features.language import translated
from features.log.report import RowBalance
from features.snapshot import Snapshot


@dataclass(frozen=True)
class ListSummary:
    """Counts of a list.

    Parameters
    ----------
    version : str, the model's
    snapshot : Snapshot
    balance : RowBalance, of the log
    rows_not_visible : int, used rows at or after the snapshot
    scored : tuple of customers and their value at risk in money
    unscored : dict of reason to number of customers
    listed : tuple, as ``scored``, of the part that was asked for
    dormant : int, of the listed, who come after the others
    contacted : tuple, optional
        A line on how many of the list have a contact.
    """

    version: str
    snapshot: Snapshot
    balance: RowBalance
    rows_not_visible: int
    scored: tuple[int, float]
    unscored: dict[str, int]
    listed: tuple[int, float]
    dormant: int
    contacted: tuple[str, int, str] | None = None

    def show(self) -> None:
        """Print where every row and every customer went."""
        heads = ["", translated("Rows"), ""]
        show_table(translated("Log"), heads, row_balance(self.balance, self.rows_not_visible, self.snapshot))
        typer.echo()
        lines: list[tuple[str, int, str]] = [
            (translated("in the log"), self.scored[0] + sum(self.unscored.values()), ""),
            (translated("scored"), self.scored[0], _money_at_risk(self.scored)),
            *(
                [
                    (translated("unscored"), count, translated(reason))
                    for reason, count in self.unscored.items()
                ]
                or [(translated("unscored"), 0, "")]
            ),
            (translated("in the list"), self.listed[0], _money_at_risk(self.listed)),
        ]
        if self.dormant:
            lines.append((translated("dormant, after the others"), self.dormant, ""))
        if self.contacted is not None:
            lines.append(self.contacted)
        title = translated(
            "List of {day:date}, by model {version}", day=self.snapshot.date, version=self.version
        )
        show_table(title, ["", translated("Customers"), ""], lines)

    def document(self, published_in: str | None = None) -> dict[str, Any]:
        """Return what a script wants to know of a list."""
        return {
            "model_version": self.version,
            "snapshot_date": self.snapshot.date,
            "rows": {
                "in": self.balance.rows_in,
                "used": self.balance.rows_used - self.rows_not_visible,
                "quarantined": self.balance.quarantined,
                "not_yet_visible": self.rows_not_visible,
            },
            "scored": self.scored[0],
            "unscored": self.unscored,
            "listed": self.listed[0],
            "dormant": self.dormant,
            "value_at_risk": self.listed[1],
            "published_in": published_in,
        }


def _money_at_risk(counted: tuple[int, float]) -> str:
    return translated("value at risk {money:,.2f}", money=counted[1])
