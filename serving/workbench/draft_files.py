"""The files of a draft: who must not be contacted, and contacts for its lists, matched with the published list."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from starlette.responses import Response

from features.errors import ChangedMeanwhile, StayworthError
from features.language import translated
from features.log.findings import WARNING
from features.retelling import retold_text
from serving.campaign.customer_files import CustomerFiles
from serving.campaign.meant_rows import OPT_OUTS
from serving.lists.addresses import address_sentences
from serving.lists.contacts import CUSTOMER_ID, Contacts
from serving.store.campaign import Campaign
from serving.store.campaign_rows import ASIDE
from serving.workbench.choices import Choices
from serving.workbench.drafting import draft_of, keep_choices, show_step
from serving.workbench.page import go_to
from serving.workbench.uploads import has_file, matching, uploaded
from serving.workbench.visit import WAIT_SECONDS, Visit
from training.campaign.assignment import LIST_COLUMNS
from training.campaign.exclusions import ASKED_NOT_TO


def files(visit: Visit) -> Response:
    """Ask for those who must not be contacted, and for contacts."""
    return _files_page(visit, draft_of(visit))


def _files_page(visit: Visit, draft: Campaign, *, problem: str = "") -> Response:
    excluded, with_contact = visit.sources.store.campaigns.aside(draft.id)
    return show_step(
        visit,
        draft,
        "files",
        problem=problem,
        excluded=excluded,
        with_contact=with_contact,
        said=list(map(retold_text, Choices.from_dict(draft.choices).said)),
    )


def choose_files(visit: Visit) -> Response:
    """Take in exclusions and contacts, matched with the audience.

    Whom one file excludes another does not let in: exclusions add up until they are dropped. New contacts replace those
    before.
    """
    draft = draft_of(visit)
    choices, campaigns = Choices.from_dict(draft.choices), visit.sources.store.campaigns
    aside = campaigns.customers(draft.id, ASIDE).set_index("customer_id")[["reason", "contact"]]
    try:
        # Of the whole list: the audience may change.
        known = visit.sources.store.customers.ids()
        said: list[str] = []
        if has_file(visit, "exclusions"):
            aside = _excluded(visit, known, aside, said)
        if has_file(visit, "contacts"):
            aside = _with_contacts(visit, known, aside, said)
        if visit.sent("drop") in ("reason", "contact"):
            aside = aside.assign(**{visit.sent("drop"): "" if visit.sent("drop") == "reason" else None})
        if not said and not visit.sent("drop"):
            raise StayworthError(translated("Choose a file first."))
        left = aside[(aside["reason"] != "") | aside["contact"].notna()]
        campaigns.set_aside(draft, left.reset_index(), visit.who.name, wait_seconds=WAIT_SECONDS)
        changed = campaigns.numbered(draft.id)
        if changed is not None:
            keep_choices(visit, changed, replace(choices, said=tuple(said)))
    except ChangedMeanwhile:
        raise
    except StayworthError as error:
        return _files_page(visit, draft, problem=str(error))
    return go_to(f"/campaigns/{draft.id}/files")


def _excluded(visit: Visit, known: list[str], aside: pd.DataFrame, said: list[str]) -> pd.DataFrame:
    reader = CustomerFiles(known, translated("the published list"), **matching(visit))
    with uploaded(visit, "exclusions") as path:
        ids = reader.ids(path, OPT_OUTS, all_that_are_meant=True)
    said += reader.report
    reasons = pd.Series(ASKED_NOT_TO, index=pd.Index(sorted(set(ids)), name="customer_id"))
    both = aside.index.union(reasons.index)
    if (before := aside.index[aside["reason"] != ""]).size:
        said.append(
            translated(
                "Together with those sent before, {n:customer is left alone|customers are left alone} by a file.",
                n=len(before.union(reasons.index)),
            )
        )
    return pd.DataFrame(
        {
            "reason": reasons.reindex(both).fillna(aside["reason"].reindex(both)).fillna(""),
            "contact": aside["contact"].reindex(both).astype(object),
        }
    )


def _with_contacts(visit: Visit, known: list[str], aside: pd.DataFrame, said: list[str]) -> pd.DataFrame:
    how = matching(visit)
    with uploaded(visit, "contacts") as path:
        contacts = Contacts(path, loosely=how["loosely"])
    contacts.require_no_clash(list(LIST_COLUMNS))
    if contacts.table.columns.empty:
        raise StayworthError(
            translated(
                "{file} has no column of contacts beside the customers' ids, such as email or phone.",
                file=contacts.name,
            )
        )
    everybody = pd.DataFrame({CUSTOMER_ID: known}, dtype="str")
    match = contacts.matched(everybody)
    warnings = contacts.warnings(match, how["flag"])
    if not match.pairs:
        raise StayworthError(" ".join(warnings))
    said.append(
        translated(
            "{found:,} of {n:customer|customers} of the published list have a contact in {file}.",
            found=len(match.pairs),
            n=len(known),
            file=contacts.name,
        )
    )
    said += [translated(WARNING, sentence=sentence) for sentence in warnings]
    theirs = everybody[everybody[CUSTOMER_ID].isin(match.pairs)]
    found = contacts.join(theirs).set_index(CUSTOMER_ID)
    said += address_sentences(found)
    cells = found.astype(object).where(found.notna(), None)
    texts = {name: [None if cell is None else str(cell) for cell in cells[name]] for name in cells.columns}
    documents = pd.Series(
        pd.DataFrame(texts, dtype=object).to_dict("records"), index=found.index, dtype=object
    )
    both = aside.index.union(documents.index)
    return pd.DataFrame(
        {
            "reason": aside["reason"].reindex(both).fillna(""),
            "contact": documents.reindex(both).astype(object).where(documents.reindex(both).notna(), None),
        }
    ).rename_axis("customer_id")
