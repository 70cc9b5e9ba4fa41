"""The command ``forget``: erase customers who ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import show_json, show_table
from features.commands.options import CONFIG_ONLY, AsJson, options
from features.errors import StayworthError
from features.language import translated
from features.log.settings import Columns, LogSettings
from serving.delivery.settings import WebhookSettings
from serving.settings import StoreSettings

if TYPE_CHECKING:
    from serving.erasure.erasure import Receipt


@options
def forget(
    settings: StoreSettings,
    webhook: Annotated[WebhookSettings, CONFIG_ONLY],
    log: Annotated[LogSettings | None, CONFIG_ONLY],
    columns: Annotated[Columns, CONFIG_ONLY],
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of the customers, to the letter.")] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from", help="Table of customers to erase, by customer_id.")
    ] = None,
    places: Annotated[
        list[Path] | None,
        typer.Option(
            "--in",
            help="Campaign folder, list, log or quarantine file (.csv, .parquet, .xlsx), or a folder of them; repeat.",
        ),
    ] = None,
    customer_column: Annotated[
        str, typer.Option("--customer-column", help="Column of customer ids in logs and quarantine files.")
    ] = "customer_id",
    receipt: Annotated[
        Path | None, typer.Option("--receipt", help="File for the receipt (JSON), which names nobody.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Find only; remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase customers from the score store, its published sets and deliveries, and from the files and folders given.

    Example: stayworth forget 00017 --in campaign --in scored.csv --receipt receipt.json

    Published counts and a campaign's numbers stay. The parts of a log, where the config file names their folder, are
    gone through too. Who is still in the log of orders is back with the next list: remove them there too
    (--in orders.csv).
    """
    import pyarrow.parquet as pq

    from features.log.parts import kept_parts
    from features.log.presets import with_preset
    from serving.erasure.erasure import CUSTOMER_ID, erase
    from serving.store.store import Store

    wanted = _wanted(ids or (), from_file)
    with Store(settings.uri) as store:
        kept, parts = webhook.kept(store.address.file), kept_parts(log.parts) if log and log.parts else []
        if log and parts and customer_column == CUSTOMER_ID:
            _, columns = with_preset(log, columns, pq.read_schema(parts[0]).names)
            customer_column = columns.customer_column
        done = erase(wanted, store, [*(places or ()), *parts, *kept], customer_column, keep=dry_run)
    if receipt and not dry_run:
        done.write(receipt)
    if as_json:
        show_json(asdict(done))
        return
    _show(done, dry_run)


def _wanted(ids: Iterable[str], from_file: Path | None) -> list[str]:
    """Return the ids to erase, those of the command line and of a file."""
    from features.log.hidden_rows import REMARKS
    from features.log.identity import read_ids
    from features.log.sources import read_table
    from serving.erasure.erasure import CUSTOMER_ID

    wanted = [each.strip() for each in ids]
    if from_file:
        table = read_table(from_file)
        if CUSTOMER_ID not in table.columns:
            raise StayworthError(
                translated(
                    "{from_file} has no column {customer_id!r}. Rename the one with the ids.",
                    from_file=from_file,
                    customer_id=CUSTOMER_ID,
                )
            )
        if REMARKS in table.attrs:
            raise StayworthError(
                translated(
                    "Some rows of {file} are hidden, and who is erased cannot be brought back. Delete those that are "
                    "not meant, or show them all, and save.",
                    file=from_file.name,
                )
            )
        wanted += [each for each in read_ids(table[CUSTOMER_ID]).to_pylist() if each]
    if not any(wanted):
        raise StayworthError(translated("Whom? Give ids, or a table of them: --from FILE."))
    return wanted


def _show(done: Receipt, dry_run: bool) -> None:
    header = [
        "",
        translated("Rows found") if dry_run else translated("Rows removed"),
        translated("Similar ids, left"),
    ]
    rows = [[place.name, place.rows, place.similar] for place in done.places]
    show_table(f"{done.customers:,} {'customer' if done.customers == 1 else 'customers'}", header, rows)
    if any(place.similar for place in done.places):
        typer.echo(
            translated(
                "Similar ids differ in case, width, spaces, leading zeros or a .0: if they are the same, "
                "give them too."
            )
        )
    if not dry_run:
        typer.echo(f"\nReceipt {done.number}, {done.erased_at:%Y-%m-%d %H:%M} UTC")
