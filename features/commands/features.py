"""The command ``features``, also ``python -m features``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.log import open_log, row_balance, rows_not_visible
from features.commands.options import AsJson, options
from features.errors import WindowError
from features.language import translated, written
from features.log.settings import Columns, LogSettings
from features.snapshot import Snapshot, monthly_snapshots

if TYPE_CHECKING:
    import pyarrow as pa

    from features.log.transactions import TransactionLog

app = typer.Typer(add_completion=False)


@app.command()
@options
def features(
    log: LogSettings,
    columns: Columns,
    out: Annotated[Path, typer.Option("--out", help="File to write: .parquet or .csv.")],
    snapshot_date: Annotated[
        list[str] | None,
        typer.Option(
            "--snapshot-date",
            help="Date at which customers are described; repeat for more.",
            show_default="the day after the log's last order",
        ),
    ] = None,
    snapshots: Annotated[
        int | None,
        typer.Option(
            "--snapshots", min=1, help="Or: this many months, back from the day after the last order."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute the features of every customer at one or more snapshot dates.

    Only orders before a date count: one row per date and customer with an order before it.

    Example: stayworth features --transactions orders.csv --snapshots 6 --out features.parquet
    """
    from features.table.feature_table import feature_tables
    from features.table.history import SCHEMA
    from features.table_files import writer_for

    if snapshot_date and snapshots:
        raise WindowError(translated("Give --snapshot-date or --snapshots, not both."))
    write = writer_for(out)
    with progress() as report:
        orders = open_log(log, columns, report)
        chosen = _snapshots(orders, [Snapshot.parse(text) for text in snapshot_date or ()], snapshots or 1)
        report(translated("Building features"), 0, len(chosen))
        done = count(1)
        tables = feature_tables(
            orders,
            chosen,
            progress=lambda _: report(translated("Building features"), next(done), len(chosen)),
        )
        customers: Counter[date] = Counter()
        write(_counting(tables, customers), out)
    counts = _counted(orders, chosen, customers)
    if as_json:
        show_json({"rows": asdict(orders.report), "snapshots": counts, "out": str(out)})
        return
    _summarise(orders, counts)
    rows = written(customers.total(), "row|rows")
    typer.echo(f"\n{rows} of {len(SCHEMA)} columns in {out}")


def _counting(tables: Iterator[pa.Table], customers: Counter[date]) -> Iterator[pa.Table]:
    """Yield tables, and count the rows of each snapshot."""
    for table in tables:
        if table.num_rows:
            customers[table["snapshot_date"][0].as_py()] += table.num_rows
        yield table
        del table  # while the next is made


def _counted(
    orders: TransactionLog, snapshots: list[Snapshot], customers: Counter[date]
) -> list[dict[str, Any]]:
    """Return each snapshot's customers, and the log's rows that it sees and that lie after it."""
    hidden = [rows_not_visible(orders, snapshot) for snapshot in snapshots]
    return [
        {
            "snapshot_date": snapshot,
            "customers": customers[snapshot.date],
            "rows_seen": orders.report.rows_used - later,
            "rows_not_visible": later,
        }
        for snapshot, later in zip(snapshots, hidden, strict=True)
    ]


def _summarise(orders: TransactionLog, counts: list[dict[str, Any]]) -> None:
    """Print how many rows of the log were used, at the newest snapshot and at each."""
    newest = counts[-1]
    balance = row_balance(orders.report, newest["rows_not_visible"], newest["snapshot_date"])
    show_table("Log", ["", "Rows", ""], balance)
    typer.echo()
    rows = [[str(value) for value in each.values()] for each in counts]
    show_table("Features", ["Snapshot", "Customers", "Rows seen", "Not yet visible"], rows)


def _snapshots(log: TransactionLog, chosen: list[Snapshot], months: int) -> list[Snapshot]:
    """Return the snapshots to build, oldest first; refuse those before the first order or in the future."""
    newest = Snapshot.after(log.last_day)
    oldest = Snapshot.after(log.first_day)
    if not chosen:
        chosen = monthly_snapshots(newest, oldest.date, months)
    for snapshot in chosen:
        if snapshot < oldest:
            raise WindowError(
                translated(
                    "No order lies before {snapshot}. Use --snapshot-date {oldest} or later.",
                    snapshot=snapshot,
                    oldest=oldest,
                )
            )
        if snapshot.date > date.today() and snapshot > newest:
            raise WindowError(
                translated(
                    "{snapshot} lies in the future. Use --snapshot-date {newest}, where the log ends.",
                    snapshot=snapshot,
                    newest=newest,
                )
            )
    return sorted(set(chosen))
