"""The plan of a draft, made from the published list as often as somebody asks, and drawn once at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from features.errors import StayworthError
from features.language import translated
from serving.campaign.folder import CampaignLists
from serving.campaign.kept import drawn_of, running_in
from serving.campaign.reader_lists import ReaderLists
from serving.lists.contacts import CUSTOMER_ID, Contacts
from serving.store.campaign import Campaign, Drawn
from serving.store.campaign_changes import Basis
from serving.store.campaign_rows import ASIDE
from serving.store.store import Store
from serving.workbench.audiences import Audiences
from serving.workbench.choices import Choices
from training.campaign.plan import CampaignPlan, choose
from training.campaign.prepared import Prepared, prepare
from training.campaign.running import RunningCampaign


@dataclass(frozen=True)
class Others:
    """Who is left alone, by the draft's own files and by other campaigns; and the contacts that were sent for it."""

    suppress: frozenset[str]
    running: tuple[RunningCampaign, ...]
    basis: Basis
    contacts: Contacts | None


@dataclass(frozen=True)
class Planned:
    """A plan of a draft, what it was made from, and the contacts that go into its lists."""

    plan: CampaignPlan
    basis: Basis
    readers: ReaderLists

    def drawn(self) -> Drawn:
        """Return what the plan has drawn, to be kept."""
        return drawn_of(self.plan, CampaignLists.of(self.plan, self.readers), self.readers)


def planned(store: Store, audiences: Audiences, draft: Campaign, *, fresh: bool = False) -> Planned:
    """Make the plan of a draft.

    Raises
    ------
    StayworthError
        If it has no offer, nobody is in its audience, or the offers do not fit the customers.
    ChangedMeanwhile
        If a new list was published since it was begun.
    """
    choices = Choices.from_dict(draft.choices)
    if not choices.offers:
        raise StayworthError(translated("Choose an offer first: without one there is nothing to plan."))
    scores, read = audiences.of(store, choices.table.choice, draft.set_id or 0, fresh=fresh)
    if scores.empty:
        raise StayworthError(translated("Nobody is in this audience. Choose fewer filters."))
    others, apart = audiences.others(store, draft, lambda: _others(store, draft), fresh=fresh)
    terms = choices.terms()

    def make() -> Prepared:
        return prepare(scores, choices.offers, terms, suppress=others.suppress, running=others.running)

    fixed = terms.model_copy(
        update={"budget": None, "holdout": 0.1, "explore": 0.0, "seed": 0}
    ).model_dump_json()
    offers = tuple(offer.model_dump_json() for offer in choices.offers)
    known = audiences.prepared((read, fixed, offers, apart), make, fresh=fresh)
    made = choose(known, terms)
    return Planned(made, replace(others.basis, set_id=draft.set_id), ReaderLists(others.contacts))


def _others(store: Store, draft: Campaign) -> Others:
    aside = store.campaigns.customers(draft.id, ASIDE)
    running, basis = running_in(store.campaigns)
    suppress = frozenset(aside.loc[aside["reason"] != "", "customer_id"])
    return Others(suppress, tuple(running), basis, _contacts(draft, aside))


def _contacts(draft: Campaign, aside: pd.DataFrame) -> Contacts | None:
    """Return the contacts that were sent for a draft; None where there are none."""
    rows = aside[aside["contact"].notna()]
    if rows.empty:
        return None
    table = pd.DataFrame(list(rows["contact"]), columns=list(draft.contact_columns))
    return Contacts("contacts", table=table.assign(**{CUSTOMER_ID: list(rows["customer_id"])}))
