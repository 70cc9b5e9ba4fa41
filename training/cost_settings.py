"""What keeping a customer costs: stated in a table ``[costs]``, by flags, or per customer in files beside the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import Field, ValidationError

from features.documents import read_toml
from features.errors import StayworthError
from features.invalid import why
from features.language import translated
from features.log.settings import LogRules, LogSettings
from features.settings import Settings

if TYPE_CHECKING:
    from features.economics.trailing import CostFiles


class CostSettings(Settings, section="costs"):
    """What customers cost beside the goods, for every command: the section ``[costs]``.

    Stated as numbers that hold for every customer, or by files from which each customer gets their own. Training keeps
    the numbers, and the means of the files, in the version, and values are net of them; the other commands take the
    version's and refuse others. None is not stated: no cost.

    Examples
    --------
    >>> CostSettings(cost_per_order=4).stated()
    {'cost_per_order': 4.0}
    """

    file: Annotated[
        Path | None,
        typer.Option(
            "--costs",
            help="TOML file of costs, that of 'stayworth report': [[touchpoints]] and [[pools]], for customers' own "
            "costs, or a table [costs] of these keys instead of flags.",
        ),
    ] = None
    touchpoints: Annotated[
        Path | None,
        typer.Option(
            "--touchpoints",
            help="Touches of customers, priced by --costs, and learnt from where models gain: customer_id, "
            "occurred_at, touchpoint, quantity, outcome, sentiment.",
        ),
    ] = None
    receivables: Annotated[
        Path | None,
        typer.Option(
            "--receivables",
            help="Invoices, for customers' own bad debt, and learnt from where models gain: customer_id, issued_at, "
            "due_at, amount, paid_at, paid_amount, written_off_at.",
        ),
    ] = None
    cost_per_order: Annotated[
        float | None,
        typer.Option(
            "--cost-per-order",
            help="Money that a purchase costs beside the goods, such as picking and delivery.",
        ),
    ] = Field(default=None, ge=0, allow_inf_nan=False)
    cost_per_day: Annotated[
        float | None,
        typer.Option(
            "--cost-per-day",
            help="Money that a day costs on which a customer is active, whether or not they buy, such as service.",
        ),
    ] = Field(default=None, ge=0, allow_inf_nan=False)
    bad_debt_rate: Annotated[
        float | None, typer.Option("--bad-debt-rate", help="Share of spend that is never paid.")
    ] = Field(default=None, ge=0, le=1)
    inactivity_days: Annotated[
        int | None,
        typer.Option(
            "--inactivity-days",
            help="A customer is active until so many days after a purchase. By default --dormant-after-days: until "
            "then lists and plans treat them as a customer.",
        ),
    ] = Field(default=None, ge=1)

    def stated(self) -> dict[str, Any]:
        """Return the costs that are stated, here or in the file, by name.

        Raises
        ------
        StayworthError
            If the file cannot be read or used, or a cost is stated twice and differently.
        """
        here = self.model_dump(exclude=_COST_FILES, exclude_none=True)
        there = _read_costs(self.file).model_dump(exclude=_COST_FILES, exclude_none=True) if self.file else {}
        for name in here.keys() & there.keys():
            if here[name] != there[name]:
                raise StayworthError(
                    translated(
                        "{name} is {here:g} by {flag} or the config file, and {there:g} in {file}. State it"
                        " once.",
                        name=name,
                        here=here[name],
                        flag=f"--{name.replace('_', '-')}",
                        there=there[name],
                        file=self.file,
                    )
                )
        return there | here

    def files(self, rules: LogRules | None = None) -> CostFiles | None:
        """Read the files of what customers cost; None where they say nothing of single customers.

        Touches without prices cost nothing; models may learn from them (`BehaviourSettings`).

        Parameters
        ----------
        rules : LogRules, how the log's ids, dates and numbers are written; by default plainly

        Raises
        ------
        StayworthError
            If a file cannot be read or used.
        """
        from features.economics.cost_table import CostTable
        from features.economics.identities import aliases_of
        from features.economics.optional_files import PLAIN_RULES
        from features.economics.receivables import Receivables
        from features.economics.touches import Touches
        from features.economics.trailing import CostFiles

        rules = rules or PLAIN_RULES
        aliases = aliases_of(rules) if isinstance(rules, LogSettings) else {}
        table = CostTable.read(self.file) if self.file else CostTable()
        touchpoints = self.touchpoints if table.units or table.pools else None
        if not (touchpoints or self.receivables or table.pools):
            return None
        files = CostFiles(
            table,
            Touches.read(touchpoints, rules, aliases) if touchpoints else Touches.none(),
            Receivables.read(self.receivables, rules, aliases) if self.receivables else None,
            rules.calendar,
        )
        self._require_one_source(files)
        return files

    def _require_one_source(self, files: CostFiles) -> None:
        """Refuse a cost that is stated as a number, and in the files too."""
        given = {
            "cost_per_order": "order" in files.per,
            "cost_per_day": "period" in files.per,
            "bad_debt_rate": files.receivables is not None,
        }
        for name, value in self.stated().items():
            if given.get(name):
                raise StayworthError(
                    translated(
                        "{name} is stated as {value:g}, and the files of costs give it for each customer. Keep "
                        "one.",
                        name=name,
                        value=value,
                    )
                )


_COST_FILES = {"file", "touchpoints", "receivables"}


def _read_costs(path: Path) -> CostSettings:
    """Read the table ``[costs]`` of a TOML file."""
    try:
        content = read_toml(path)
    except OSError as error:
        raise StayworthError(
            translated("Can't read the costs file {path}: {reason}.", path=path, reason=error.strerror)
        ) from None
    except ValueError as error:
        raise StayworthError(
            translated("{path} is not valid TOML: {error}.", path=path, error=error)
        ) from None
    table: Any = content.get(
        "costs", {} if content.keys() & {"touchpoints", "pools", "unpaid_rates"} else None
    )
    if not isinstance(table, dict) or _COST_FILES & table.keys():
        known = ", ".join(name for name in CostSettings.model_fields if name not in _COST_FILES)
        raise StayworthError(
            translated(
                "{path} states no costs. Write a table [costs] with keys of {known}.", path=path, known=known
            )
        )
    try:
        return CostSettings.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        raise StayworthError(
            f"{path}, [costs]: {first['loc'][0]}: {why(first, CostSettings.model_fields.keys() - _COST_FILES)}."
        ) from None
