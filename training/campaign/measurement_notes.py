"""What to know before a campaign's effect is believed: what has passed of it, how few are compared, what is assumed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from features.language import translated
from training.campaign.assignment import Assignment
from training.campaign.contact_cost import paid_apart

FEWEST_PER_GROUP = 10
"""With fewer customers in a group an interval says little."""

_NET_OF = ("cost_per_order", "cost_per_day", "bad_debt_rate")


def measurement_notes(assignment: Assignment, days: int, redeemed: Collection[str] | None) -> Iterator[str]:
    """Yield the notes on a measurement.

    Parameters
    ----------
    assignment : Assignment
    days : int, measured days of the churn window
    redeemed : ids of customers who took the incentive, or None where that is not known
    """
    record = assignment.record
    if days < record.horizon_days:
        yield translated(
            "Only {days:,} of {of:day|days} have passed. Offers often bring purchases forward, so early "
            "differences shrink; acceptance rates are left as they were. Measure again when it is over.",
            days=days,
            of=record.horizon_days,
        )
    if any(record.costs.get(name) for name in _NET_OF):
        yield translated(
            "Margins are net of what customers cost, as the plan's values are (costs in plan.json)."
        )
    contacted = assignment.customers["contacted"]
    if min(contacted.sum(), (~contacted).sum()) < FEWEST_PER_GROUP:
        yield translated(
            "{contacted:,} contacted and {held_out:,} held-out customers are too few to tell: with fewer than {n} "
            "in a group an interval says little more than what is possible.",
            contacted=int(contacted.sum()),
            held_out=int((~contacted).sum()),
            n=FEWEST_PER_GROUP,
        )
    if redeemed is None and any(paid_apart(offer) for offer in assignment.offers.values()):
        yield translated("Incentive costs are assumed, not measured: give --redeemed to know who took them.")
    reached = set(redeemed or ()) & set(assignment.customers.loc[~contacted, "customer_id"])
    if reached:
        yield translated(
            "{n:held-out customer has|held-out customers have} redeemed the incentive: they were reached all the "
            "same, and the difference shown understates the effect.",
            n=len(reached),
        )
