"""The command ``validate``: everything that is known of a log before anything is learnt from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import read_and_check, with_one_id
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import written
from features.log.settings import Columns, LogSettings

if TYPE_CHECKING:
    from features.log.description import LogDescription

UNUSABLE = 2
"""Exit code where the log cannot be used as it is."""


@options
def validate(
    log: LogSettings,
    columns: Columns,
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
    show_table("Log", ["", "Rows", ""], described.report.rows())
    for title, facts in described.facts().items():
        typer.echo()
        show_table(
            title, ["", ""], [[name.replace("_", " "), _written(value)] for name, value in facts.items()]
        )
    for finding in described.findings:
        kind = "Accepted" if finding.name in described.accepted else "Error" if finding.fatal else "Warning"
        remark = "" if kind == "Accepted" else f" (--accept {finding.name})"
        typer.echo(f"\n{kind}: {finding.message}{remark}")
    if not described.findings:
        typer.echo("\nNothing to remark.")
    typer.echo("\nThe log can be used." if described.usable else "\nThe log cannot be used as it is.")


def _written(value: Any) -> str:
    if isinstance(value, float):
        return written(value, ",.2f")
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)
