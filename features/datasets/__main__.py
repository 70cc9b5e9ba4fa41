"""Write a log to try the software on: ``python -m features.datasets``.

::

    python -m features.datasets cdnow cdnow.csv
    python -m features.datasets simulate --customers 10000 simulated.parquet
    python -m features.datasets world peak-ahead peak.csv
    python -m features.datasets world clinic visits.csv
    python -m features.datasets online-retail online_retail_II.xlsx online_retail.parquet
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer

from features.commands.console import errors, progress, show_table
from features.datasets import (
    WORLDS,
    cdnow,
    cdnow_sample,
    online_retail_from_workbook,
    simulate_log,
    simulate_world,
)
from features.table_files import writer_for

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Write a log to try out."
)
_Out = Annotated[Path, typer.Argument(help="File to write: .csv or .parquet.")]


@app.command("cdnow")
@errors()
def _cdnow_command(
    out: _Out,
    sample: Annotated[bool, typer.Option("--sample", help="Only the 2,357 customers of the papers.")] = False,
) -> None:
    """Write the orders of CDNOW: 69,659 of 23,570 customers, 1997-01-01 to 1998-06-30.

    Example: python -m features.datasets cdnow cdnow.csv
    """
    _write(cdnow_sample() if sample else cdnow(), out)


@app.command("online-retail")
@errors()
def _online_retail_command(
    workbook: Annotated[Path, typer.Argument(help="The published online_retail_II.xlsx.")], out: _Out
) -> None:
    """Turn the workbook of UCI Online Retail II into a log; takes a few minutes.

    Example: python -m features.datasets online-retail online_retail_II.xlsx online_retail.parquet
    """
    with progress() as report:
        table = online_retail_from_workbook(workbook, progress=report)
    _write(table, out)


@app.command("simulate")
@errors()
def _simulate_command(
    out: _Out,
    customers: Annotated[int, typer.Option("--customers", min=1, help="How many customers.")] = 10_000,
    weeks: Annotated[float, typer.Option("--weeks", help="Length of the log.")] = 78.0,
    refund_share: Annotated[float, typer.Option("--refund-share", help="Share of orders paid back.")] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same log.")] = 0,
) -> None:
    """Draw a log from BG/NBD and Gamma-Gamma with CDNOW's published parameters.

    Example: python -m features.datasets simulate --customers 10000 simulated.parquet
    """
    _write(simulate_log(customers, weeks=weeks, refund_share=refund_share, seed=seed).transactions, out)


@app.command("world")
@errors()
def _world_command(
    world: Annotated[str, typer.Argument(help=f"One of {', '.join(WORLDS)}.")],
    out: _Out,
    customers: Annotated[int, typer.Option("--customers", min=1, help="How many customers.")] = 5_000,
    days_ahead: Annotated[
        int, typer.Option("--days-ahead", help="Days after the log's end to write too; before it: negative.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same log.")] = 0,
) -> None:
    """Draw a shop with a season, a trend or another deviation from the purchase models, or a business on other clocks.

    Shops are drawn for 900 days, a clinic, weekly shoppers and subscribers for four years, yearly donors for six.

    Example: python -m features.datasets world peak-ahead peak.csv
    """
    drawn = simulate_world(world, n_customers=customers, seed=seed, days_ahead=max(365, days_ahead))
    _write(drawn.orders_until(days_ahead), out)


def _write(table: pa.Table, out: Path) -> None:
    writer_for(out)(table, out)
    days = pc.min_max(table.column("ordered_at")).as_py()
    rows = [
        ("rows", table.num_rows),
        ("customers", pc.count_distinct(table.column("customer_id")).as_py()),
        ("first", days["min"]),
        ("last", days["max"]),
        ("written to", out),
    ]
    show_table("", ["", ""], rows)


if __name__ == "__main__":
    app()
