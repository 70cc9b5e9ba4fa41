"""The log that a campaign is measured on: one that a browser sends, or the one that the workbench was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from features.commands.log import read_and_check
from features.errors import StayworthError
from features.language import translated
from features.log.findings import settle
from features.log.settings import Columns, LogSettings
from features.log.transactions import TransactionLog


@dataclass(frozen=True)
class NewOrders:
    """Reads logs of orders, whose columns are named as the operator has said.

    Parameters
    ----------
    source : str or None, the log that the workbench was given; it is read anew each time
    columns : Columns
    """

    source: str | None = None
    columns: Columns = field(default_factory=Columns)

    def read(self, sent: Path | None = None) -> tuple[TransactionLog, list[str]]:
        """Read a log that was sent, or else the operator's; return it, and what there is to say of it.

        Raises
        ------
        StayworthError
            If there is none, or it cannot be used.
        """
        source = self.source if sent is None else str(sent)
        if source is None:
            raise StayworthError(translated("Choose a file first."))
        settings = LogSettings(transactions=source)
        orders, found = read_and_check(settings, self.columns, lambda step, done, total: None)
        said = list(settle(found, settings.accept, strict=False))
        return orders.without_raw_rows(), said
