"""The command ``card-of``: one customer of a log in words, for whoever talks to them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from features.commands.console import progress, show_json, show_remarks
from features.commands.log import open_log
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import Language, translated
from features.log.settings import Columns, LogSettings
from features.settings import Settings
from features.snapshot import Snapshot
from training.behaviour_settings import BehaviourSettings
from training.cost_settings import CostSettings
from training.settings import RegistrySettings

if TYPE_CHECKING:
    from features.behaviour.files import BehaviourFiles
    from features.log.transactions import TransactionLog
    from serving.explanation.caller_card import KnownOfCustomer
    from serving.scored_list import ScoredList
    from training.offers.offers import Offer

_DAY_0 = date(1970, 1, 1)


class CardOfSettings(Settings, section="card_of"):
    """As of when a customer is described, what may be offered, and in which language: the section ``[card_of]``."""

    snapshot_date: Annotated[
        date | None,
        typer.Option("--snapshot-date", help="As of this date. By default the day after the last order."),
    ] = None
    offers: Annotated[
        Path | None, typer.Option("--offers", help="TOML file of [[offers]]: the best that pays is named.")
    ] = None
    language: Annotated[
        Language, typer.Option("--language", help="Language of the card: en, or fa for Persian.")
    ] = Field(default="en")


@options
def card_of(
    settings: CardOfSettings,
    log: LogSettings,
    columns: Columns,
    costs: CostSettings,
    behaviour: BehaviourSettings,
    registry: RegistrySettings,
    customer_id: Annotated[str, typer.Argument(help="The customer; case and leading zeros do not matter.")],
    as_json: AsJson = False,
) -> None:
    """Say who calls: what they bring, how they buy, what is wrong, and what to offer, by the champion model.

    Example: stayworth card-of 00017 --transactions orders.csv --offers offers.toml
    """
    from serving.explanation.caller_card import card_from
    from serving.scorer import Scorer
    from training.offers.offer_files import read_offers

    with progress() as report:
        offers = read_offers(settings.offers) if settings.offers else []
        scorer = Scorer.from_registry(registry.tracking_uri)
        scorer.costs.require(costs.stated())
        files = costs.files(log)
        beside = behaviour.files(costs, log, files)
        snapshot = Snapshot(settings.snapshot_date) if settings.snapshot_date else None
        orders = open_log(
            log,
            columns,
            report,
            compare=lambda read: scorer.remarks.differences(read, snapshot),
            base=scorer.money_of,
        )
        name = _named(orders, customer_id)
        report(translated("Scoring"), 0, 0)
        # All are scored, for pools of costs are shared out among all. Debts are told by any version.
        own_costs = files if scorer.model.own_costs else None
        scored = scorer.score_log(orders, snapshot, cost_files=own_costs, beside=beside)
        card = card_from(
            scorer, _orders_of(orders, name), _score_of(scored, name), _known(beside, name, offers)
        )
    show_remarks(translated("Note: {note}", note=note) for note in card.notes)
    if as_json:
        show_json(asdict(card))
        return
    typer.echo(card.customer_id)
    for sentence in card.sentences:
        typer.echo(f"- {sentence}")


def _named(orders: TransactionLog, customer_id: str) -> str:
    """Return a customer's id as the log writes it."""
    from features.log.matching import match_ids

    match = match_ids([customer_id], orders.table["customer_id"].unique().to_pylist(), loosely=True)
    if not match.matched:
        raise StayworthError(
            translated("No customer of the log is called {customer!r}.", customer=customer_id)
        )
    return match.matched[0]


def _orders_of(orders: TransactionLog, customer_id: str) -> TransactionLog:
    import pyarrow.compute as pc

    return replace(orders, table=orders.table.filter(pc.equal(orders.table["customer_id"], customer_id)))


def _score_of(scored: ScoredList, customer_id: str) -> ScoredList:
    own = scored.columns["customer_id"] == customer_id
    if not own.any():
        reasons = scored.unscored.set_index("customer_id")["reason"]
        raise StayworthError(
            translated(
                "{customer!r} cannot be scored: {reason}.",
                customer=customer_id,
                reason=translated(reasons[customer_id]),
            )
        )
    return replace(scored, columns={name: column[own] for name, column in scored.columns.items()})


def _known(beside: BehaviourFiles | None, customer_id: str, offers: list[Offer]) -> KnownOfCustomer:
    """Return what the files say of one customer; None for a file that was not given."""
    import pyarrow.compute as pc

    from serving.explanation.caller_card import KnownOfCustomer
    from serving.explanation.customer_facts import Invoice, Touch

    touches = invoices = None
    if beside and beside.touches:
        table = beside.touches.table
        own = table.filter(pc.equal(table["customer_id"], customer_id)).to_pylist()
        touches = [Touch(_day(each["day"]), each["touchpoint"]) for each in own]
    if beside and beside.receivables:
        table = beside.receivables.table
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
    return _DAY_0 + timedelta(days=number)
