"""The second step of a campaign: its offers, new ones and those of past campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from starlette.responses import Response

from features.errors import ChangedMeanwhile, StayworthError
from features.language import translated
from serving.store.campaign import Campaign
from serving.workbench.choices import Choices, offer_of
from serving.workbench.drafting import draft_of, keep_choices, show_step
from serving.workbench.library import library
from serving.workbench.page import go_to
from serving.workbench.visit import Visit
from training.offers.offers import require_own_names

OFFER_FIELDS = (
    "offer_name",
    "channel",
    "contact_cost",
    "incentive",
    "incentive_kind",
    "acceptance",
    "redemption",
    "capacity",
)

_READ = 1_000
"""Letters of a field that are looked at, so that what is too long is said, and not cut."""


def offers(visit: Visit) -> Response:
    """Show the chosen offers, a form for another, and those of past campaigns."""
    return _offers_page(visit, draft_of(visit))


def _offers_page(
    visit: Visit, draft: Campaign, *, problem: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    chosen = {offer.name for offer in Choices.from_dict(draft.choices).offers}
    past = [each for each in library(visit.sources.store.campaigns) if each.offer.name not in chosen]
    return show_step(
        visit, draft, "offers", problem=problem, past=past, typed=typed or dict.fromkeys(OFFER_FIELDS, "")
    )


def choose_offers(visit: Visit) -> Response:
    """Add an offer, typed or of the library, or take one out."""
    draft = draft_of(visit)
    choices = Choices.from_dict(draft.choices)
    typed = {name: visit.sent(name, _READ) for name in OFFER_FIELDS}
    try:
        if gone := visit.sent("remove"):
            _require_offer(gone, (offer.name for offer in choices.offers))
            left = tuple(offer for offer in choices.offers if offer.name != gone)
        elif past := visit.sent("past"):
            known = library(visit.sources.store.campaigns)
            _require_offer(past, (each.offer.name for each in known))
            left = (*choices.offers, *(each.offer for each in known if each.offer.name == past))
        else:
            left = (*choices.offers, offer_of(typed))
        require_own_names(left)
        keep_choices(visit, draft, replace(choices, offers=left))
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _offers_page(visit, draft, problem=str(error), typed=typed)
    return go_to(f"/campaigns/{draft.id}/offers")


def _require_offer(wanted: str, there: Iterable[str]) -> None:
    if wanted not in there:
        raise StayworthError(
            translated("There is no offer {name} any more. Choose one of those below.", name=wanted)
        )
