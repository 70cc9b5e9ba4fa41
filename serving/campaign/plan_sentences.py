"""What there is to say of a campaign plan, in sentences: of the command, of the page and of the workbench."""

from __future__ import annotations

from features.language import translated, written
from features.log.findings import WARNING
from serving.campaign.left_alone import left_alone_sentences
from training.campaign.alternatives import as_it_is
from training.campaign.holdout import customers_for
from training.campaign.plan import CampaignPlan
from training.campaign.power import customers_for_profit
from training.campaign.resumption import RESUMPTIONS

_STALE_DAYS = 365
_LEAST_MONEY = 0.005
"""What is written as 0.00 is not worth a sentence."""


def sentences(plan: CampaignPlan) -> list[str]:
    """Return the plan in sentences: contacts, cost, profit, and the effect that its holdout can detect."""
    return [*_stale_sentences(plan), *_plan_sentences(plan)]


def _stale_sentences(plan: CampaignPlan) -> list[str]:
    """Warn of a campaign that starts when the scores say nothing any more."""
    days = abs((plan.starts_on - plan.snapshot_date).days)
    if days <= _STALE_DAYS:
        return []
    said = translated(
        "The campaign starts on {start:date}, {n:day|days} from the scores' snapshot, {snapshot:date}: they do not say "
        "who leaves then.",
        start=plan.starts_on,
        n=days,
        snapshot=plan.snapshot_date,
    )
    return [translated(WARNING, sentence=said)]


def _plan_sentences(plan: CampaignPlan) -> list[str]:
    contacted, held_out = len(plan.contacts), plan.n_held_out
    if not contacted + held_out:
        pays = (plan.known.customers["expected_profit"] > 0).any()
        nobody = (
            translated("Treat nobody: the budget or the limits leave room for nobody.")
            if pays
            else translated("Treat nobody: no offer is worth its cost for anybody.")
        )
        return [nobody, *left_alone_sentences(plan)]
    low, high = plan.profit_interval()
    warned = _loss_sentences(plan)
    said = [
        translated(
            "Contact {contacted:customer|customers}, hold out {held_out:,} at random, leave {left:,} alone.",
            contacted=contacted,
            held_out=held_out,
            left=len(plan.known.customers) - contacted - held_out,
        ),
        _cost_sentence(plan),
        translated(
            "Expected profit {profit:,.2f} (90%: {low:,.2f} to {high:,.2f}), if the scores and the acceptance rates "
            "are right.",
            profit=plan.expected_profit,
            low=low,
            high=high,
        ),
    ]
    if explorers := len(learning := plan.explorers):
        said.append(
            translated(
                "Of these contacts {explorers:,} are made to learn (purpose: explore), with customers for whom an "
                "offer may pay though it is not expected to; they are expected to earn {profit:,.2f}. Beside them "
                "{beside:,} are held out, and {own:,} beside the others.",
                explorers=explorers,
                profit=learning["expected_profit"].sum(),
                beside=held_out - (own := int(plan.for_profit["held_out"].sum())),
                own=own,
            )
        )
    said += _resumption_sentences(plan)
    if plan.allocation.budget_price >= _LEAST_MONEY:
        said.append(
            translated(
                "One more unit of budget would bring {profit:,.2f} more profit.",
                profit=plan.allocation.budget_price,
            )
        )
    return warned + said + left_alone_sentences(plan) + _experiment_sentences(plan)


def _loss_sentences(plan: CampaignPlan) -> list[str]:
    """Warn of a plan that is expected to lose money, as one of contacts made to learn alone is."""
    if plan.expected_profit >= 0:
        return []
    loss = -plan.expected_profit
    said = (
        translated("This campaign is expected to lose {loss:,.2f}.", loss=loss)
        if len(plan.explorers) < len(plan.contacts)
        else translated(
            "This campaign is expected to lose {loss:,.2f}: no offer is expected to pay for anybody, and all of its "
            "contacts are made to learn.",
            loss=loss,
        )
    )
    return [translated(WARNING, sentence=said)]


def _cost_sentence(plan: CampaignPlan) -> str:
    cost = {"cost": plan.expected_cost, "most": plan.greatest_cost}
    if plan.terms.budget is None:
        return translated("Expected cost {cost:,.2f}; {most:,.2f} if everyone takes the incentive.", **cost)
    return translated(
        "Expected cost {cost:,.2f} of a budget of {budget:,.2f}; {most:,.2f} if everyone takes the incentive.",
        budget=plan.terms.budget,
        **cost,
    )


def _resumption_sentences(plan: CampaignPlan) -> list[str]:
    if plan.resumption is None:
        return []
    once, half, before = (plan.profit_at_resumption(share) for share in RESUMPTIONS)
    return [
        translated(
            "What those who had left do after they come back, no log shows: the same contacts earn {once:,.2f} if they "
            "buy once (resumption 0), {half:,.2f} if they go on at half their old value (0.5), {before:,.2f} if they "
            "go on as before (1). This plan assumes {assumed:g}.",
            once=once,
            half=half,
            before=before,
            assumed=plan.resumption,
        )
    ]


def _experiment_sentences(plan: CampaignPlan) -> list[str]:
    chosen, held_out = len(plan.figures), plan.n_held_out
    if held_out < 2:
        return [translated("Without a holdout, the effect of this campaign can't be measured.")]
    seen, expected = plan.detectable_effect, plan.expected_effect
    said = [_detectable_sentence(plan, seen, expected)]
    if 0 < expected < seen:
        needed = customers_for(expected, held_out / chosen, plan.stay_rate, power=plan.terms.power)
        said.append(
            translated(
                "So it will probably not show whether it worked. That would take {needed:customer|customers} at this "
                "share, or a larger holdout (--holdout, --effect).",
                needed=needed,
            )
        )
    if (needed_for_profit := customers_for_profit(plan)) is not None:
        said.append(
            translated(
                "To find the expected profit per contact takes {needed:customer|customers} at this holdout share.",
                needed=needed_for_profit,
            )
        )
    return said


def _detectable_sentence(plan: CampaignPlan, seen: float, expected: float) -> str:
    chosen, own = len(plan.figures), plan.for_profit["held_out"]
    shown = {"chosen": chosen, "seen": _points(seen), "expected": _points(expected)}
    if len(plan.explorers) and own.sum() >= 2:
        return translated(
            "With {chosen:customer|customers}, of whom {held_out:,} are held out ({share:.0%}, and half of those made "
            "to learn), this campaign can only detect effects of {seen} or more on the share who stay ({alone:.1f} "
            "points without those made to learn, as beside other budgets); the offers are expected to keep {expected}.",
            held_out=plan.n_held_out,
            alone=100 * as_it_is(plan).detectable_effect,
            share=own.mean(),
            **shown,
        )
    return translated(
        "With {chosen:customer|customers} and a {share:.0%} holdout this campaign can only detect effects of "
        "{seen} or more on the share who stay; the offers are expected to keep {expected}.",
        share=plan.n_held_out / chosen,
        **shown,
    )


def _points(share: float) -> str:
    points = 100 * share
    digits = 0 if points >= 9.5 else 1
    return translated("{points} points", points=written(points, f".{digits}f"))
