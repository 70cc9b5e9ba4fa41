"""The audit: who wrote what, and when, told in the reader's language."""

from __future__ import annotations

from starlette.responses import Response

from features.language import ENGLISH, translatable, translated
from features.retelling import read_back
from serving.store.users import COMMAND_LINE
from serving.workbench.page import page
from serving.workbench.visit import Visit

ACTIONS = {
    "sign in": translatable("signed in"),
    "sign out": translatable("signed out"),
    "add user": translatable("added a user"),
    "remove user": translatable("removed a user"),
    "keep segment": translatable("kept a segment"),
    "remove segment": translatable("removed a segment"),
    "take out list": translatable("took out a list"),
    "bring own columns": translatable("brought own columns"),
    "remove own columns": translatable("removed the own columns"),
    "begin campaign": translatable("began a campaign"),
    "change draft": translatable("changed a draft"),
    "upload for draft": translatable("sent files for a draft"),
    "discard draft": translatable("discarded a draft"),
    "plan campaign": translatable("planned a campaign"),
    "tell webhook": translatable("had the webhook told of an audience"),
    "webhook was told": translatable("the webhook was told of an audience"),
    "send campaign": translatable("sent a campaign"),
    "withdraw campaign": translatable("withdrew a campaign"),
    "take customer off": translatable("took a customer off a campaign's list"),
    "measure campaign": translatable("measured a campaign"),
    "erase customers": translatable("erased customers"),
    "promote": translatable("promoted a version"),
    "roll back": translatable("rolled back"),
}
"""What the audit's actions are called."""

ABOUT = (
    translatable("{n:customer|customers} of set {set:.0f}, {kind}"),
    translatable("{n:customer|customers}"),
    translatable("campaign {n:.0f}, {joined:,.0f} joined, {left:,.0f} left, {changed:,.0f} changed"),
    translatable("campaign {n:.0f}, {kind}"),
    translatable("campaign {n:.0f}"),
    translatable("version {n:.0f}, before it {before:.0f}"),
    translatable("version {n:.0f}"),
    translatable("segment {n:.0f}"),
)
"""What they are about, as the store keeps it, but for names."""

LISTS = {
    "csv": "CSV",
    "xlsx": "Excel",
    "plan": translatable("List for a plan"),
    "plain": "CSV",
    "team": translatable("Excel for the team"),
    "folder": translatable("The campaign's folder"),
    "klaviyo": "Klaviyo",
    "mailchimp": "Mailchimp",
}
"""What the kinds of lists are called that were taken out."""


def show(visit: Visit) -> Response:
    """Show the entries, the newest first."""
    entries = [
        (
            each,
            _who(each.user_name),
            translated(ACTIONS.get(each.action, each.action)),
            _about(each.about),
        )
        for each in visit.sources.store.audit.newest()
    ]
    return page(visit, "audit.html", entries=entries)


def _about(kept: str) -> str:
    kept = kept.removesuffix(", before it None")  # of a store that was written to before
    for sentence in ABOUT:
        values = read_back(kept, sentence, ENGLISH)
        if values is not None:
            if (kind := str(values.get("kind"))) in LISTS:
                values["kind"] = translated(LISTS[kind])
            return translated(sentence, **values)
    return kept


def _who(name: str) -> str:
    return translated("command line") if name == COMMAND_LINE else name
