"""The log that a campaign is measured on: one that a browser sends, or the one that the workbench was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from features.commands.log import read_and_check
from features.errors import MissingColumnError, StayworthError
from features.language import translated
from features.log.settings import Columns, LogSettings
from features.log.transactions import TransactionLog
from serving.workbench.wording import about_the_log, of_the_log


@dataclass(frozen=True)
class NewOrders:
    """Reads logs of orders, whose columns are named as the operator has said.

    Parameters
    ----------
    source : str or None, the log that the workbench was given; it is read anew each time
    columns : Columns
    rules : LogSettings or None, how rows are read
    """

    source: str | None = None
    columns: Columns = field(default_factory=Columns)
    rules: LogSettings | None = None

    def read(
        self, sent: Path | None = None, *, whatever: bool = False, control: str = ""
    ) -> tuple[TransactionLog, list[str]]:
        """Read a log that was sent, or else the operator's; return it, and what there is to say of it.

        Parameters
        ----------
        sent : Path, optional
        whatever : bool
            Use it though something about it looks wrong.
        control : str
            Name of the control that says so.

        Raises
        ------
        StayworthError
            If there is none, or it cannot be used.
        """
        source = self.source if sent is None else str(sent)
        if source is None:
            raise StayworthError(translated("Choose a file first."))
        known = {} if self.rules is None else {n: getattr(self.rules, n) for n in self.rules.model_fields_set}
        settings = LogSettings(**{**known, "transactions": source})
        with about_the_log():
            try:
                orders, found = read_and_check(settings, self.columns, lambda step, done, total: None)
            except MissingColumnError as error:
                if sent is None:
                    raise
                raise StayworthError(error.to_sender) from None  # who sends a file renames its columns
        said = [each for each in found if each.name not in settings.accept]
        fatal = [each.message for each in said if each.fatal]
        if fatal and not whatever:
            remedy = translated("To use the file all the same, set a tick at “{label}”.", label=control)
            raise StayworthError(of_the_log(" ".join(fatal)) + " " + remedy)
        return orders.without_raw_rows(), [of_the_log(each.message) for each in said]
