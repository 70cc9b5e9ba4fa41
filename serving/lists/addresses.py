"""How many customers of a list can be reached: who has an e-mail address, and who a phone number."""

from __future__ import annotations

import pandas as pd

from features.language import translatable, translated
from features.log.findings import WARNING
from serving.lists.contact_columns import Role, contact_columns

_REACHED_BY: tuple[Role, ...] = ("email", "phone")
_HAVE: dict[Role, str] = {
    "email": translatable("Of {of:customer|customers} {n:,} have an e-mail address."),
    "phone": translatable("Of {of:customer|customers} {n:,} have a phone number."),
}


def addressed(rows: pd.DataFrame) -> dict[Role, int]:
    """Return how many have an address of each kind of which there is a column.

    Examples
    --------
    >>> addressed(pd.DataFrame({"customer_id": ["1", "2"], "E-mail": ["ann@x.example", " "], "city": ["Yazd", ""]}))
    {'email': 1}
    """
    columns = contact_columns(map(str, rows.columns))
    return {
        role: int((rows[columns[role]].fillna("").astype(str).str.strip() != "").sum())
        for role in _REACHED_BY
        if role in columns
    }


def address_sentences(rows: pd.DataFrame) -> list[str]:
    """Say how many of some customers have an address, and warn where nobody has any."""
    found = addressed(rows)
    if not any(found.values()):
        nobody = (
            translated("Nobody has an address in it: its e-mail addresses and phone numbers are empty.")
            if found
            else translated("Nobody has an address in it: no column of e-mails or phones was sent.")
        )
        return [translated(WARNING, sentence=nobody)]
    return [translated(_HAVE[role], of=len(rows), n=n) for role, n in found.items()]
