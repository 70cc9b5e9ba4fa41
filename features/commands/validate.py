"""The command ``validate``: everything that is known of a log before anything is learnt from it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import read_and_check, with_one_id
from features.commands.options import AsJson, InLanguage, options
from features.errors import StayworthError
from features.language import translatable, translated, written
from features.log.findings import WARNING
from features.log.settings import Columns, LogSettings

if TYPE_CHECKING:
    from features.log.description import LogDescription
    from features.log.findings import Finding

_FACTS = (
    *(translatable("Columns"), translatable("Ids"), translatable("Dates"), translatable("Money")),
    *(translatable("customers"), translatable("examples"), translatable("shortest"), translatable("longest")),
    *(translatable("with leading zeros"), translatable("most frequent")),
    *(translatable("rows of the most frequent"), translatable("days per customer")),
    *(translatable("customers without a purchase"), translatable("customers without a used row")),
    *(translatable("first"), translatable("last"), translatable("days"), translatable("days with orders")),
    *(translatable("longest gap in days"), translatable("longest gap from"), translatable("timezone")),
    *(translatable("currency"), translatable("net"), translatable("purchases"), translatable("refunds")),
    *(translatable("rows of purchases"), translatable("rows of refunds"), translatable("rows of zero")),
    *(translatable("identical rows"), translatable("median purchase"), translatable("largest purchase")),
)
"""Titles and names of facts, as `LogDescription.facts` has them."""

UNUSABLE = 2
"""Exit code where the log cannot be used as it is."""


@options
def validate(
    log: LogSettings,
    columns: Columns,
    language: InLanguage = "en",
    as_json: AsJson = False,
) -> None:
    """Read and check a log, and show the whole report: rows, quarantine, ids, dates, money, findings.

    Nothing is trained and nothing is written but the file of --quarantine.

    Exit codes: 0 the log can be used; 2 it cannot be read, or a finding makes every number wrong; 3 with --strict,
    there is a finding that was not accepted.

    Example: stayworth validate --transactions orders.csv --quarantine bad.csv
    """
    from features.log.description import describe
    from features.log.findings import StrictError

    try:
        with progress() as report:
            orders, findings = read_and_check(log, columns, report)
            orders = with_one_id(orders, log)
    except StayworthError as error:
        if not as_json:
            raise
        show_json({"usable": False, "error": str(error)})
        raise typer.Exit(error.exit_code) from None
    described = describe(orders, findings, log.accept)
    if as_json:
        show_json(described.to_dict())
    else:
        _show(described)
    if log.strict and described.open_findings:
        raise typer.Exit(StrictError.exit_code)
    if not described.usable:
        raise typer.Exit(UNUSABLE)


def _show(described: LogDescription) -> None:
    show_table(translated("Log"), ["", translated("Rows"), ""], described.report.rows())
    for title, facts in described.facts().items():
        typer.echo()
        rows = [[translated(name.replace("_", " ")), _written(value)] for name, value in facts.items()]
        show_table(translated(title), ["", ""], rows)
    said = [_in_words(finding, accepted=finding.name in described.accepted) for finding in described.findings]
    for paragraph in said or [translated("Nothing to remark.")]:
        typer.echo(f"\n{paragraph}")
    typer.echo()
    typer.echo(
        translated("The log can be used.")
        if described.usable
        else translated("The log cannot be used as it is.")
    )


def _in_words(finding: Finding, *, accepted: bool) -> str:
    if accepted:
        return translated("Accepted: {sentence}", sentence=finding.message)
    kind = translatable("Error: {what}") if finding.fatal else WARNING
    said = translated(kind, what=finding.message, sentence=finding.message)
    return f"{said} (--accept {finding.name})"


def _written(value: Any) -> str:
    if isinstance(value, date):
        return written(value, "date")
    if isinstance(value, int | float):
        return written(value, ",.2f" if isinstance(value, float) else ",")
    return ", ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)
