"""The commands ``columns bring``, ``columns list`` and ``columns remove``: own columns of the workbench's table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import show_json, show_table
from features.commands.options import AsJson, options
from serving.settings import StoreSettings

if TYPE_CHECKING:
    from serving.store.own_column import OwnColumn

columns = typer.Typer(name="columns", no_args_is_help=True, add_completion=False)


@columns.callback()
def _columns() -> None:
    """Bring, list and remove own columns of the customers in the workbench."""


@columns.command()
@options
def bring(
    settings: StoreSettings,
    file: Annotated[
        Path, typer.Argument(help="CSV, Parquet or Excel file with customer_id and own columns.")
    ],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A column of the file; again for each. By default all.")
    ] = None,
    loose_ids: Annotated[
        bool, typer.Option("--loose-ids", help="Match ids that a spreadsheet has changed.")
    ] = False,
) -> None:
    """Keep what you know of customers, such as city and account manager, in place of the own columns before.

    The table of customers then shows them, is ordered and filtered by them, and takes them out.

    Example: stayworth columns bring customers.csv --only city --only manager
    """
    from serving.lists.own_cells import own_cells
    from serving.store.store import Store
    from serving.store.users import COMMAND_LINE

    with Store(settings.uri) as store:
        listed = store.customers.ids() if store.newest() else []
        cells, sentences = own_cells(file, listed, only=only or (), loosely=loose_ids)
        kept = store.customers.own.replace(cells, COMMAND_LINE)
    typer.echo(f"{' '.join(sentences)} Own columns: {', '.join(column.name for column in kept)}.")


@columns.command("list")
@options
def list_columns(settings: StoreSettings, as_json: AsJson = False) -> None:
    """List the own columns, and the values that the table is filtered by.

    Example: stayworth columns list
    """
    from serving.store.store import Store

    with Store(settings.uri) as store:
        found = store.customers.own.all()
        address = store.address
    if as_json:
        show_json([{"name": each.name, "values": [v.text for v in each.values]} for each in found])
        return
    if not found:
        typer.echo(
            f"There is no own column in {address} yet. Bring some: stayworth columns bring customers.csv"
        )
        return
    rows = [[each.name, ", ".join(_shown(each)) or "-"] for each in found]
    show_table(f"Own columns in {address}", ["Name", "Filtered by"], rows)


def _shown(column: OwnColumn) -> list[str]:
    return [value.text.replace(" ", " to ") if column.numeric else value.text for value in column.values]


@columns.command()
@options
def remove(settings: StoreSettings) -> None:
    """Remove all own columns and their cells.

    Example: stayworth columns remove
    """
    from serving.store.store import Store
    from serving.store.users import COMMAND_LINE

    with Store(settings.uri) as store:
        store.customers.own.remove(COMMAND_LINE)
    typer.echo("The own columns are removed.")
