"""The command ``card-of``: one customer of a log in words, for whoever talks to them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from features.commands.console import progress, show_json
from features.commands.log import open_log
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import Language, use_language
from features.log.settings import Columns, LogSettings
from features.settings import Settings
from features.snapshot import Snapshot
from training.settings import RegistrySettings

if TYPE_CHECKING:
    from features.log.transactions import TransactionLog
    from serving.explanation.caller_card import KnownOfCustomer


class CardOfSettings(Settings, section="card_of"):
    """What is known of a customer besides the orders: the section ``[card_of]``."""

    snapshot_date: Annotated[
        date | None,
        typer.Option("--snapshot-date", help="As of this date. By default the day after the last order."),
    ] = None
    offers: Annotated[
        Path | None, typer.Option("--offers", help="TOML file of [[offers]]: the best that pays is named.")
    ] = None
    touchpoints: Annotated[
        Path | None,
        typer.Option(
            "--touchpoints", help="Touches, complaints among them: customer_id, occurred_at, touchpoint."
        ),
    ] = None
    receivables: Annotated[
        Path | None,
        typer.Option(
            "--receivables", help="Invoices: customer_id, issued_at, due_at, amount, paid_at, paid_amount."
        ),
    ] = None
    language: Annotated[
        Language, typer.Option("--language", help="Language of the card: en, or fa for Persian.")
    ] = Field(default="en")


@options
def card_of(
    settings: CardOfSettings,
    log: LogSettings,
    columns: Columns,
    registry: RegistrySettings,
    customer_id: Annotated[str, typer.Argument(help="The customer, as the log writes them.")],
    as_json: AsJson = False,
) -> None:
    """Say who calls: what they bring, how they buy, what is wrong, and what to offer.

    Example: stayworth card-of 00017 --transactions orders.csv --offers offers.toml
    """
    from serving.explanation.caller_card import card_from
    from serving.scorer import Scorer

    with progress() as report:
        scorer = Scorer.from_registry(registry.tracking_uri)
        snapshot = Snapshot(settings.snapshot_date) if settings.snapshot_date else None
        orders = open_log(log, columns, report, compare=lambda read: scorer.differences(read, snapshot))
        own, name = _orders_of(orders, customer_id)
        known = _known(settings, log, name)
        with use_language(settings.language):
            scored = scorer.score_log(own, snapshot or Snapshot.after(orders.last_day), threads=1)
            if not len(scored.columns["customer_id"]):
                raise StayworthError(
                    f"{customer_id!r} cannot be scored: {scored.unscored['reason'].iloc[0]}."
                )
            card = card_from(scorer, own, scored, known)
    for note in card.notes:
        typer.secho(f"Note: {note}", fg=typer.colors.YELLOW, err=True)
    if as_json:
        show_json(asdict(card))
        return
    typer.echo(card.customer_id)
    for sentence in card.sentences:
        typer.echo(f"- {sentence}")


def _orders_of(orders: TransactionLog, customer_id: str) -> tuple[TransactionLog, str]:
    """Return the part of a log that is of one customer, and the customer's id as the log writes it."""
    import pyarrow.compute as pc

    from features.log.matching import match_ids

    ids = orders.table["customer_id"]
    match = match_ids([customer_id], ids.unique().to_pylist(), loosely=True)
    if not match.matched:
        raise StayworthError(f"No customer of the log is called {customer_id!r}.")
    (found,) = match.matched
    return replace(orders, table=orders.table.filter(pc.equal(ids, found))), found


def _known(settings: CardOfSettings, log: LogSettings, customer_id: str) -> KnownOfCustomer:
    """Read what the files say of one customer; None for a file that was not given."""
    import pyarrow.compute as pc

    from features.economics.identities import aliases_of
    from features.economics.receivables import Receivables
    from features.economics.touches import Touches
    from serving.explanation.caller_card import KnownOfCustomer
    from serving.explanation.customer_facts import Invoice, Touch
    from training.offers.offers import read_offers

    aliases = aliases_of(log)
    offers = read_offers(settings.offers) if settings.offers else []
    touches = invoices = None
    if settings.touchpoints:
        table = Touches.read(settings.touchpoints, log, aliases).table
        own = table.filter(pc.equal(table["customer_id"], customer_id)).to_pylist()
        touches = [Touch(_day(each["day"]), each["touchpoint"]) for each in own]
    if settings.receivables:
        table = Receivables.read(settings.receivables, log, aliases).table
        own = table.filter(pc.equal(table["customer_id"], customer_id)).to_pylist()
        invoices = [
            Invoice(
                due_at=_day(each["due"]),
                amount=each["amount_cents"] / 100,
                issued_at=_day(each["issued"]),
                paid_at=None if each["paid"] is None else _day(each["paid"]),
                paid_amount=each["paid_cents"] / 100,
                written_off_at=None if each["written_off"] is None else _day(each["written_off"]),
            )
            for each in own
        ]
    return KnownOfCustomer(touches, invoices, offers)


def _day(number: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + number)
