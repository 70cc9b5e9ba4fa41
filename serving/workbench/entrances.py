"""The paths of the workbench: what answers each, and the role that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from serving.workbench import (
    audit_page,
    campaigns,
    customer,
    customers,
    draft_audience,
    draft_budget,
    draft_files,
    draft_offers,
    draft_preview,
    ledger,
    list_files,
    models,
    overview,
    own_columns,
    report,
    version_page,
)
from serving.workbench.signing_in import choose_language, sign_in_page, sign_out
from serving.workbench.visit import Visit

Handler = Callable[[Visit], Response]


@dataclass(frozen=True)
class Entrance:
    """A path, what answers it, and the role that it takes; an empty one: nobody need have signed in.

    ``keeps``: what was typed into its form outlives the session. ``files``: its form may have some.
    """

    path: str
    handler: Handler
    role: str = "look"
    method: str = "GET"
    keeps: bool = False
    files: bool = False


ENTRANCES: Sequence[Entrance] = (
    Entrance("/", overview.show),
    Entrance("/customers", customers.show),
    Entrance("/customers/search", customers.search, method="POST"),
    Entrance("/customers/export", customers.export, "campaign", "POST"),
    Entrance("/customers/columns", own_columns.bring, "admin", "POST", files=True),
    Entrance("/customers/{key}", customer.show),
    Entrance("/campaigns", ledger.show),
    Entrance("/campaigns", draft_audience.begin, "campaign", "POST", keeps=True),
    Entrance("/campaigns/new", draft_audience.new, "campaign"),
    Entrance("/campaigns/{number}", campaigns.one),
    Entrance("/campaigns/{number}/audience", draft_audience.audience, "campaign"),
    Entrance("/campaigns/{number}/audience", draft_audience.choose_audience, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/offers", draft_offers.offers, "campaign"),
    Entrance("/campaigns/{number}/offers", draft_offers.choose_offers, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/budget", draft_budget.budget, "campaign"),
    Entrance("/campaigns/{number}/budget", draft_budget.choose_budget, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/files", draft_files.files, "campaign"),
    Entrance("/campaigns/{number}/files", draft_files.choose_files, "campaign", "POST", files=True),
    Entrance("/campaigns/{number}/preview", draft_preview.preview, "campaign"),
    Entrance("/campaigns/{number}/confirm", draft_preview.confirm, "campaign", "POST"),
    Entrance("/campaigns/{number}/renew", draft_preview.renew, "campaign", "POST"),
    Entrance("/campaigns/{number}/discard", draft_preview.discard, "campaign", "POST"),
    Entrance("/campaigns/{number}/plan", campaigns.plan_page),
    Entrance("/campaigns/{number}/measured", campaigns.measurement_page),
    Entrance("/campaigns/{number}/list", list_files.download, "campaign", "POST"),
    Entrance("/campaigns/{number}/tell", campaigns.tell, "campaign", "POST"),
    Entrance("/campaigns/{number}/sent", campaigns.send, "campaign", "POST"),
    Entrance("/campaigns/{number}/withdraw", campaigns.withdraw, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/take-off", campaigns.take_off, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/measure", campaigns.measure, "campaign", "POST", files=True),
    Entrance("/report", report.show),
    Entrance("/models", models.show),
    Entrance("/models/rollback", models.roll_back, "admin", "POST"),
    Entrance("/models/{number}", version_page.show),
    Entrance("/models/{number}/card", models.card),
    Entrance("/models/{number}/promote", models.promote, "admin", "POST"),
    Entrance("/segments", customers.keep_segment, "campaign", "POST"),
    Entrance("/segments/{number}/remove", customers.remove_segment, "campaign", "POST"),
    Entrance("/audit", audit_page.show, "admin"),
    Entrance("/sign-in", sign_in_page, ""),
    Entrance("/sign-out", sign_out, method="POST"),
    Entrance("/language", choose_language, "", "POST"),
)
