"""One customer: the score and how it came to be, what it was in earlier lists, and what the orders say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from starlette.responses import Response

from features.errors import StayworthError
from features.language import short_day, translated, written
from features.retelling import retold
from serving.alerts.signals import KIND_NAMES, REASONS
from serving.explanation.customer_facts import Order
from serving.workbench.contributions import why
from serving.workbench.library import library
from serving.workbench.list_and_champion import PUBLISH, ends_before, two_probabilities
from serving.workbench.orders import Known
from serving.workbench.own_columns import cells_of, names_of
from serving.workbench.page import page, said
from serving.workbench.priced_offers import left_alone, priced_for
from serving.workbench.visit import CUSTOMER, Visit
from serving.workbench.words import CELLS, band_of, habit, money
from training.model.retold_reasons import retold_reason

SHOWN_ORDERS = 12
_TOLD = ("churn_probability", "value_at_risk", "expected_value")
_LARGEST, _SMALLEST = 14.0, 3.5
_EDGE = 2.0
"""Per cent of the timeline that stay free at each end, for half of a dot."""


@dataclass(frozen=True)
class Dot:
    """An order on the timeline: its place in per cent of the width, and its radius, which is the same on a phone."""

    x: float
    radius: float
    words: str


@dataclass(frozen=True)
class Scenario:
    """What the score would be under other circumstances."""

    name: str
    probability: float
    band: str
    expected_value: str
    value_at_stake: str
    value_at_risk: str


@dataclass(frozen=True)
class Publication:
    """What a published list says of the customer; ``published`` is said where another list is of its day."""

    row: Any
    band: str
    published: str


def show(visit: Visit) -> Response:
    """Show the customer whose key is in the address."""
    customer_id = visit.sources.sealer.opened(CUSTOMER, visit.path["key"])
    history = visit.sources.store.customers.history(customer_id) if customer_id is not None else []
    if customer_id is None or not history:
        nobody = translated("There is no such customer in the published lists.")
        return said(visit, nobody, status=404, back="/customers")
    newest = history[0]
    known, problem = _known(visit, customer_id, newest.snapshot_date)
    scenarios = _scenarios(known, newest.model_version) if known else []
    campaigns = visit.sources.store.campaigns
    return page(
        visit,
        "customer.html",
        customer_id=customer_id,
        score=newest,
        reasons=[retold_reason(each) for each in newest.reasons or ()],
        band=band_of(newest.churn_probability),
        habit=habit(newest, newest.snapshot_date),
        cells={name: write(newest) for name, write in CELLS.items()},
        own=_own(visit, customer_id),
        interval=_interval(newest),
        history=_publications(history),
        alerts=[
            (translated(KIND_NAMES[each.kind]), each.since, retold(each.reason, REASONS))
            for each in visit.sources.store.customers.alerts_of(customer_id)
        ],
        campaigns=campaigns.of_customer(customer_id),
        offers=priced_for(newest, library(campaigns), known),
        left_alone=left_alone(newest),
        known=known,
        problem=problem,
        two=_two(visit, known, newest),
        publish=PUBLISH,
        dots=_dots(known.orders, newest.snapshot_date) if known else [],
        scenarios=scenarios,
        uneven=_goes_up_and_down(known) if known else False,
        why=why(known.explanation) if known else None,
        shown_orders=SHOWN_ORDERS,
        kept_lists=len(visit.sources.store.customers.sets()),
        money=money,
    )


def _known(visit: Visit, customer_id: str, day: date) -> tuple[Known | None, str]:
    """Return what the orders say, or why they do not."""
    if visit.sources.orders is None:
        return None, ""
    try:
        known = visit.sources.orders.of(customer_id, day)
    except StayworthError as error:
        return None, str(error)
    if known:
        return known, ""
    older = ends_before(visit.sources.orders.last_day, day)
    return None, " ".join(
        filter(None, [translated("The log has no order of theirs before the list."), older])
    )


def _two(visit: Visit, known: Known | None, newest: Any) -> str:
    """Say why the page has two probabilities, and that its log is older than its list, which may be why."""
    if known is None or visit.sources.orders is None:
        return ""
    two = two_probabilities(newest, known)
    older = ends_before(visit.sources.orders.last_day, newest.snapshot_date)
    return f"{two} {older}".strip() if two else ""


def _own(visit: Visit, customer_id: str) -> list[tuple[str, str]]:
    """Return the names of the own columns that the customer has a cell in, and the cells."""
    own = visit.sources.store.customers.own
    columns = own.all()
    cells = cells_of(own, columns, [customer_id]).get(customer_id, {})
    return [(name, cells[key]) for key, name in names_of(columns).items() if cells.get(key)]


def _interval(score: Any) -> str:
    if score.expected_value_low is None or score.expected_value_high is None:
        return ""
    low, high = money(score.expected_value_low), money(score.expected_value_high)
    return translated("80% sure between {low} and {high}", low=low, high=high)


def _dots(orders: Sequence[Order], day: date) -> list[Dot]:
    """Place the orders between the first one and the day; the area of a dot is its amount."""
    first = date.fromisoformat(orders[-1].ordered_on)
    days, most = max((day - first).days, 1), max(max(order.amount for order in orders), 0.01)
    dots = []
    for order in orders:
        ordered_on = date.fromisoformat(order.ordered_on)
        share = (ordered_on - first).days / days
        radius = max(_SMALLEST, _LARGEST * (order.amount / most) ** 0.5)
        words = f"{short_day(ordered_on)}: {money(order.amount)}"
        dots.append(Dot(_EDGE + share * (100 - 2 * _EDGE), radius, words))
    return dots


def _publications(history: Sequence[Any]) -> list[Publication]:
    """Return the lists, the newest first; those that tell the same of the customer, one after the other, as one."""
    told = [
        [row.snapshot_date, row.model_version, *(row._mapping[each] for each in _TOLD)] for row in history
    ]
    times: list[list[Any]] = []
    for row, each in zip(history, told, strict=True):
        if times and times[-1][1] == each:
            times[-1][2] += 1
        else:
            times.append([row, each, 1])
    days = [row.snapshot_date for row, _, _ in times]
    return [
        Publication(row, band_of(row.churn_probability), _published(row, n, days.count(row.snapshot_date)))
        for row, _, n in times
    ]


def _published(row: Any, times: int, of_that_day: int) -> str:
    """Say how often a list was published, or when, where there are others of its day."""
    said = []
    if times > 1:
        said.append(translated("published {n:time|times}", n=times))
    if of_that_day > 1:
        at = f"{short_day(row.published_at.date())} {written(row.published_at.strftime('%H:%M'), 'digits')}"
        said.append(translated("published {at} UTC", at=at))
    return written(said)


def _scenarios(known: Known, listed: str) -> list[Scenario]:
    score, version = known.explanation.score, known.card.model_version
    as_it_is = translated("as it is")
    if version != listed:
        as_it_is = translated("as it is, by version {n:digits}", n=version)
    ahead = known.scenarios
    later = (
        (translated("if silent for {days:day|days} more", days=each.silent_days), vars(each))
        for each in ahead.if_silent
    )
    return [
        Scenario(
            name,
            each["churn_probability"],
            band_of(each["churn_probability"]),
            *(money(each[value]) for value in ("expected_value", "value_at_stake", "value_at_risk")),
        )
        for name, each in (
            (as_it_is, score),
            (translated("if they buy once more now"), vars(ahead.if_they_buy)),
            *later,
        )
    ]


def _goes_up_and_down(known: Known) -> bool:
    """Tell whether less is at risk after a longer silence."""
    at_risk = [each.value_at_risk for each in known.scenarios.if_silent]
    return any(later < 0.995 * earlier for earlier, later in pairwise(at_risk))
