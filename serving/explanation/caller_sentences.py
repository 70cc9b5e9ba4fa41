"""What a caller card tells, in sentences of the chosen language (`features.language`), what matters first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.language import translated, translated_in
from serving.explanation.customer_facts import (
    COMPLAINT_DAYS,
    Complaints,
    Debt,
    Order,
    Rhythm,
    UsualOrder,
)


def score_in_words(score: Mapping[str, Any], days: int) -> str:
    """Say who the customer is to the shop; ``days`` is the horizon of their value."""
    return translated(
        "Tier {tier}, stage {stage}: expected to bring {value:,.2f} in {days:span}; probability of leaving {p:.0%}.",
        tier=translated_in("value", str(score["value_tier"])),
        stage=translated_in("value", str(score["stage"])),
        value=float(score["expected_value"]),
        days=days,
        p=float(score["churn_probability"]),
    )


def troubles_in_words(complaints: Complaints | None, debt: Debt | None) -> list[str]:
    """Say what the customer complained of and owes; nothing where it is not known."""
    said = []
    if complaints and complaints.last_on:
        said.append(
            translated(
                "Complained {n:time|times} in {days:day|days}, last on {day:date}.",
                n=complaints.number,
                days=COMPLAINT_DAYS,
                day=complaints.last_on,
            )
        )
    elif complaints:
        said.append(translated("No complaint in {days:day|days}.", days=COMPLAINT_DAYS))
    if debt and debt.overdue_amount:
        said.append(
            translated(
                "Owes {amount:,.2f}, overdue for {days:day|days}.",
                amount=debt.overdue_amount,
                days=debt.overdue_days,
            )
        )
    elif debt:
        said.append(translated("Owes nothing that is overdue."))
    return said


def last_order_in_words(order: Order) -> str:
    """Say what was ordered last."""
    if order.products:
        return translated(
            "Last order on {day:date}: {products}, for {amount:,.2f}.",
            day=order.ordered_on,
            products=order.products,
            amount=order.amount,
        )
    return translated(
        "Last order on {day:date}, for {amount:,.2f}.", day=order.ordered_on, amount=order.amount
    )


def usual_order_in_words(usual: UsualOrder) -> str:
    """Say what the customer usually orders."""
    if usual.products:
        return translated(
            "Usual order: {products}, {n:time|times} so far, for {amount:,.2f}.",
            products=usual.products,
            n=usual.times,
            amount=usual.amount,
        )
    return translated("Half of the orders are of {amount:,.2f} or less.", amount=usual.amount)


def rhythm_in_words(rhythm: Rhythm, stage: str) -> str:
    """Say how often the customer buys, and whether they are late."""
    if rhythm.mean_gap_days is None:
        return translated(
            "Bought on one day so far, {days:day|days} ago.", days=rhythm.days_since_last_purchase
        )
    late = stage in ("lapsing", "lapsed")
    sentence = (
        translated(
            "Buys every {gap:span}; the last purchase was {days:day|days} ago: overdue.",
            gap=rhythm.mean_gap_days,
            days=rhythm.days_since_last_purchase,
        )
        if late
        else translated(
            "Buys every {gap:span}; the last purchase was {days:day|days} ago.",
            gap=rhythm.mean_gap_days,
            days=rhythm.days_since_last_purchase,
        )
    )
    return sentence


def offer_in_words(
    offer: str | None, profit: float | None, score: Mapping[str, Any], debt: Debt | None
) -> list[str]:
    """Say what to offer, or why nothing."""
    if offer is not None:
        sentences = [translated("Offer {offer}: expected to earn {profit:,.2f}.", offer=offer, profit=profit)]
        if (score["snapshot_date"] - score["last_purchase_date"]).days > score["dormant_after_days"]:
            sentences.append(
                translated(
                    "Silent for more than {days:day|days}: no log shows what an offer does then, and plans leave such "
                    "customers out.",
                    days=score["dormant_after_days"],
                )
            )
        return sentences
    if debt and debt.overdue_amount:
        return [translated("Offer nothing before the debt is paid.")]
    if score["expected_value"] < 0:
        return [translated("Offer nothing: they cost more than they bring.")]
    return [translated("Offer nothing: no offer would pay.")]
