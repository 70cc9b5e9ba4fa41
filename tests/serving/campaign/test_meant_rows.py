"""Lists that say yes or no of each customer: only those who are meant are taken."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.errors import StayworthError
from serving.campaign.meant_rows import OPT_OUTS, REDEEMED, meant_rows, opted_out_sentences
from serving.lists.contacts import Contacts


@pytest.mark.parametrize(
    ("column", "cells", "what", "meant"),
    [
        ("opted_out", ["TRUE", "FALSE", "FALSE"], OPT_OUTS, "a"),
        ("Unsubscribed", ["no", "Yes", "no"], OPT_OUTS, "b"),
        ("Accepts Email Marketing", ["yes", "no", "no"], OPT_OUTS, "bc"),
        ("subscribed", ["1", "0", "1"], OPT_OUTS, "b"),
        ("Werbung", ["nein", "ja", "nein"], OPT_OUTS, "ac"),
        ("Werbesperre", ["x", "", ""], OPT_OUTS, "a"),
        ("Keine Werbung", ["Ja", "Nein", "Nein"], OPT_OUTS, "a"),
        ("Désabonné", ["non", "oui", "non"], OPT_OUTS, "b"),
        ("İzin", ["evet", "hayır", "evet"], OPT_OUTS, "b"),
        ("انصراف", ["بله", "خیر", "خیر"], OPT_OUTS, "a"),
        ("لغو\u200cعضویت", ["نه", "آری", "نه"], OPT_OUTS, "b"),
        ("رضايت", ["خير", "بله", "بله"], OPT_OUTS, "a"),
        ("Email Marketing Consent", ["SUBSCRIBED", "NEVER_SUBSCRIBED", "UNSUBSCRIBED"], OPT_OUTS, "bc"),
        ("Unsubscribed from all email", ["true", "", ""], OPT_OUTS, "a"),
        ("unsubscribed_at", ["2024-01-01", "", "2024-02-01"], OPT_OUTS, "ac"),
        ("Sperrvermerk", ["gesperrt", "", ""], OPT_OUTS, "a"),
        ("Status", ["active", "unsubscribed", "cleaned"], OPT_OUTS, "bc"),
        ("Status", ["active", "unsubscribed", "new"], OPT_OUTS, "abc"),
        ("eingelöst", ["nein", "ja", "nein"], REDEEMED, "b"),
        ("redeemed", ["0", "1", "1"], REDEEMED, "bc"),
        ("opted_out", ["TRUE"] * 3, OPT_OUTS, "abc"),
        ("opted_out_at", ["2024-01-01"] * 3, OPT_OUTS, "abc"),
        ("accepts_marketing", ["no", "yes", "no"], REDEEMED, "abc"),  # says nothing of who redeemed
        ("city", ["yes", "no", "no"], OPT_OUTS, "abc"),
    ],
)
def test_rows_are_taken_as_a_column_of_a_clear_name_says(
    column: str, cells: list[str], what: str, meant: str
) -> None:
    table = pd.DataFrame({"customer_id": list("abc"), column: cells})

    rows, said = meant_rows(table, what, "list.csv")

    assert rows["customer_id"].tolist() == list(meant)
    expected = [f"list.csv: {len(meant)} of 3 rows are taken, as {column} says."] if len(meant) < 3 else []
    assert said == expected


def test_whoever_opted_out_of_one_channel_has_opted_out() -> None:
    table = pd.DataFrame(
        {"customer_id": list("abc"), "email_opt_out": ["y", "n", "n"], "sms_opt_out": ["n", "n", "y"]}
    )

    assert meant_rows(table, OPT_OUTS, "list.csv")[0]["customer_id"].tolist() == ["a", "c"]


def test_a_column_of_consents_that_says_nothing_of_some_is_refused() -> None:
    table = pd.DataFrame({"customer_id": list("abc"), "accepts_marketing": ["TRUE", "", None]})

    with pytest.raises(
        StayworthError, match=r"column 'accepts_marketing' says yes or no of 1 of 3 .* write TRUE or"
    ):
        meant_rows(table, OPT_OUTS, "list.csv")


@pytest.mark.parametrize(
    ("head", "cells", "columns"),
    [
        ("opt_out,consent", ["yes,no", "no,yes", "yes,yes"], "opt_out, consent"),
        ("Accepts Email Marketing", ["no", "yes", ""], "Accepts Email Marketing"),
        ("unsubscribed,opted_out_at", ["1,2024-01-01", ",", "1,"], "unsubscribed, opted_out_at"),
        ("do_not_contact", ["0", "0", "1"], None),  # who is not to be contacted is no matter of a campaign
        ("consent", ["granted", "", "yes"], None),
        ("Werbung", ["nein", "ja", "ja"], "Werbung"),
        ("انصراف", ["خیر", "بله", "خیر"], "انصراف"),
        ("city", ["no", "no", "no"], None),
    ],
)
def test_who_is_to_be_contacted_and_has_opted_out_as_the_contacts_say_is_warned_of(
    tmp_path: Path, head: str, cells: list[str], columns: str | None
) -> None:
    crm = tmp_path / "crm.csv"
    rows = [f"{name},{cell}" for name, cell in zip("abc", cells, strict=True)]
    crm.write_text("\n".join([f"customer_id,{head}", *rows, ""]), encoding="utf-8")

    contacted = pd.DataFrame({"customer_id": ["a", "b", "unknown"]})

    said = opted_out_sentences(Contacts(crm), contacted, "--suppress crm.csv leaves them alone.")

    assert said == (
        [
            f"Warning: 1 customer has opted out, as {columns} of crm.csv says, and 3 are to be contacted, they among "
            f"them. --suppress crm.csv leaves them alone."
        ]
        if columns
        else []
    )
