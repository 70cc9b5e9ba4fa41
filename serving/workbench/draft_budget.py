"""The third step of a campaign: budget and holdout, with what they and others around them bring."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from features.errors import ChangedMeanwhile, StayworthError
from serving.campaign.plan_sentences import sentences
from serving.store.campaign import Campaign
from serving.workbench.choices import Choices, limits_of
from serving.workbench.curve import Curve, curve_of
from serving.workbench.drafting import draft_of, groups_of, keep_choices, show_step, try_plan
from serving.workbench.page import go_to, script_path
from serving.workbench.visit import Visit
from training.campaign.alternatives import Alternative, as_it_is, at_budgets, at_holdouts
from training.campaign.plan import CampaignPlan

LIMITS = ("budget", "holdout", "explore", "starts_on", "hold_days", "standing")
_LONGEST = 60
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Of this page: its script asks it for other values."""
_BUDGETS, _HOLDOUTS = (0.5, 0.75, 1.5, 2.0), (0.05, 0.1, 0.2, 0.3, 0.5)


def budget(visit: Visit) -> Response:
    """Show what the chosen budget and holdout bring, and others around them.

    Values in the address are tried instead, and not kept.
    """
    draft = draft_of(visit)
    if set(LIMITS) & set(visit.query):
        return _tried_page(visit, draft, {name: visit.query.get(name, "")[:_LONGEST] for name in LIMITS})
    choices = Choices.from_dict(draft.choices)
    typed = {
        "budget": "" if choices.budget is None else f"{choices.budget:g}",
        "holdout": f"{100 * choices.holdout:g}",
        "explore": f"{100 * choices.explore:g}",
        "starts_on": choices.starts_on.isoformat() if choices.starts_on else "",
        "hold_days": str(choices.hold_days or ""),
        "standing": f"{100 * choices.standing:g}",
    }
    return _budget_page(visit, draft, typed)


def _tried_page(visit: Visit, draft: Campaign, typed: Mapping[str, str]) -> Response:
    try:
        choices = replace(Choices.from_dict(draft.choices), **_limits(visit, typed))
    except StayworthError as error:
        return _budget_page(visit, draft, typed, problem=str(error))
    return _budget_page(visit, replace(draft, choices=choices.to_dict()), typed)


def _limits(visit: Visit, typed: Mapping[str, str]) -> dict[str, Any]:
    """Read what was typed, as it goes with the published list."""
    newest = next(iter(visit.sources.store.customers.sets()), None)
    return limits_of(typed, newest.snapshot_date, newest.horizon_days) if newest else limits_of(typed)


def _budget_page(visit: Visit, draft: Campaign, typed: Mapping[str, str], *, problem: str = "") -> Response:
    made, why_not = (None, "") if problem else try_plan(visit, draft)
    found = made.plan if made else None
    curve = curve_of(found) if found else None
    response = show_step(
        visit,
        draft,
        "budget",
        problem=problem,
        why_not=why_not,
        typed=typed,
        plan=found,
        groups=groups_of(found) if found else [],
        said=sentences(found) if found else [],
        curve=curve,
        sampled=found is not None and found.known.thinned.scale < 1,
        script=script_path(),
        budget_slider=_slider(curve, found) if curve and found else None,
        budgets=_with_chosen(found, at_budgets(found, _other_budgets(found))) if found else [],
        holdouts=_with_chosen(found, at_holdouts(found, _other_holdouts(found))) if found else [],
    )
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _slider(curve: Curve, plan: CampaignPlan) -> tuple[float, float, float]:
    """Return the step, the end and the place of the slider of budgets: about 100 steps to what there is to spend."""
    most = max(curve.most_cost, plan.terms.budget or 0.0)
    step = 10.0 ** math.floor(math.log10(most / 50))
    end = math.ceil(most / step) * step
    return step, end, end if plan.terms.budget is None else plan.terms.budget


def _other_budgets(plan: Any) -> list[float]:
    around = plan.terms.budget if plan.terms.budget else plan.expected_cost
    return [around * factor for factor in _BUDGETS]


def _other_holdouts(plan: Any) -> list[float]:
    return [share for share in _HOLDOUTS if abs(share - plan.holdout_share) > 0.001]


def _with_chosen(plan: Any, others: list[Alternative]) -> list[tuple[Alternative, bool]]:
    """Return the alternatives with the plan itself among them, which is marked."""

    def order(each: tuple[Alternative, bool]) -> tuple[float, float]:
        most = float("inf") if each[0].budget is None else each[0].budget
        return most, each[0].holdout_share

    return sorted([*((each, False) for each in others), (as_it_is(plan), True)], key=order)


def choose_budget(visit: Visit) -> Response:
    """Keep budget, holdout and days; show what they bring, or go on."""
    draft = draft_of(visit)
    typed = {name: visit.sent(name) for name in LIMITS}
    try:
        keep_choices(visit, draft, replace(Choices.from_dict(draft.choices), **_limits(visit, typed)))
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _budget_page(visit, draft, typed, problem=str(error))
    return go_to(f"/campaigns/{draft.id}/{'files' if visit.sent('go') == 'next' else 'budget'}")
