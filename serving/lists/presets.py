"""Lists as e-mail and SMS programs import them: their names of columns, and only rows that they take.

References
----------
Klaviyo, "How to create and add subscribers to a new list" (help.klaviyo.com, article 115005078967) and
"Troubleshooting list imports" (article 115005078807): the first column is Email or Phone Number, every row has one of
them, no address is there twice, phone numbers are in E.164, other columns become properties of their name.
Mailchimp, "Format guidelines for your import file" (mailchimp.com/help/format-guidelines-for-your-import-file): one
Email Address per contact; texts have at most 255 bytes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from features.errors import StayworthError
from features.language import translated
from serving.lists.channels import Medium, is_sent_by
from serving.lists.contact_columns import Role, contact_columns
from serving.lists.team_list import ListTerms

Preset = Literal["klaviyo", "mailchimp"]

_HEADERS: dict[Preset, dict[Role, str]] = {
    "klaviyo": {
        "email": "Email",
        "phone": "Phone Number",
        "first_name": "First Name",
        "last_name": "Last Name",
    },
    "mailchimp": {
        "email": "Email Address",
        "phone": "Phone Number",
        "first_name": "First Name",
        "last_name": "Last Name",
    },
}
_REACHED_BY: dict[Preset, tuple[Role, ...]] = {"klaviyo": ("email", "phone"), "mailchimp": ("email",)}
_SENDS: dict[Preset, tuple[Medium, ...]] = {"klaviyo": ("email", "sms"), "mailchimp": ("email",)}
_CHANNEL = "channel"
_LONGEST_BYTES = 255
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True)
class PresetTable:
    """A table to import, and sentences on what was left out of it."""

    rows: pd.DataFrame
    said: tuple[str, ...]


def preset_table(rows: pd.DataFrame, preset: Preset, terms: ListTerms) -> PresetTable:
    """Return a list with the columns of a program; what only we know is in columns that begin with ``stayworth_``.

    Customers whose offer another channel is for, and those without an address that the program takes, are left out, and
    so is all but the first of an address; each is counted in a sentence. A name that the contacts do not divide is the
    first name.

    Raises
    ------
    StayworthError
        If the list has no column of addresses.
    """
    said: list[str] = []
    rows = _by_its_channels(rows, preset, said)
    table = pd.concat([_people(rows, preset, said), _own(rows, terms)], axis="columns")
    return PresetTable(_importable(table, preset, said), tuple(said))


def reached(rows: pd.DataFrame, preset: Preset) -> PresetTable:
    """Return the part of `preset_table` that names the customers: it is as long, and says the same.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["1", "2"], "email": ["ann@x.example", ""]})
    >>> found = reached(rows, "mailchimp")
    >>> len(found.rows), found.said
    (1, ('Left out: 1 customer without an address (Email Address).',))
    """
    said: list[str] = []
    rows = _by_its_channels(rows, preset, said)
    return PresetTable(_importable(_people(rows, preset, said), preset, said), tuple(said))


def _by_its_channels(rows: pd.DataFrame, preset: Preset, said: list[str]) -> pd.DataFrame:
    """Leave out whose offer another channel is for, such as a call; say how many of each."""
    if _CHANNEL not in rows:
        return rows
    channels = pd.Series(_texts(rows[_CHANNEL]), dtype=object)
    kinds = {each: is_sent_by(each, _SENDS[preset]) for each in channels.unique()}
    mine = channels.map(kinds).to_numpy(dtype=bool)
    for channel, n in channels[~mine].value_counts(sort=False).items():
        said.append(
            translated(
                "Left out: {n:customer|customers} whose offer goes by another channel, {channel}.",
                n=int(n),
                channel=str(channel),
            )
        )
    return rows[mine].reset_index(drop=True)


def _people(rows: pd.DataFrame, preset: Preset, said: list[str]) -> pd.DataFrame:
    """Return names, addresses and ids of the customers, in the columns of a program."""
    roles = contact_columns(map(str, rows.columns))
    needed = _REACHED_BY[preset]
    if not any(role in roles for role in needed):
        wanted = " or ".join({"email": "'email'", "phone": "'phone'"}[role] for role in needed)
        raise StayworthError(
            translated(
                "--columns {preset} needs a column {wanted}, which the list has not. Give the contacts: "
                "--customers crm.csv.",
                preset=preset,
                wanted=wanted,
            )
        )
    columns: dict[str, Any] = {}
    for role, header in _HEADERS[preset].items():
        source = roles.get("name") if role == "first_name" and role not in roles else roles.get(role)
        cells = [""] * len(rows) if source is None else _texts(rows[source])
        if role in ("email", "phone"):
            cells = _addresses(cells, role, said)
        if source is not None:
            columns[header] = cells
    return pd.DataFrame(columns, dtype="str").assign(customer_id=_texts(rows["customer_id"]))


def _own(rows: pd.DataFrame, terms: ListTerms) -> pd.DataFrame:
    """Return what a list says of each customer, in names that no other program's column has."""
    risk, stake = (pd.to_numeric(rows[name]).to_numpy() for name in ("churn_probability", "value_at_stake"))
    reasons = [
        cell[0] if isinstance(cell, list | tuple) and len(cell) else str(cell or "").partition("; ")[0]
        for cell in rows["reasons"]
    ]
    own = {
        "stayworth_tier": _texts(rows["value_tier"]),
        "stayworth_risk": risk.round(4),
        "stayworth_value_at_risk": terms.unit.shown(100 * risk * stake).round(2),
        "stayworth_reason": [_cut(str(reason)) for reason in reasons],
    }
    if "offer" in rows:
        own["stayworth_offer"] = [_cut(text) for text in _texts(rows["offer"])]
    own["stayworth_until"] = [terms.last_day.isoformat()] * len(rows)
    return pd.DataFrame(own)


def _importable(table: pd.DataFrame, preset: Preset, said: list[str]) -> pd.DataFrame:
    """Leave out who cannot be reached, and addresses that come again."""
    keys = [key for role in _REACHED_BY[preset] if (key := _HEADERS[preset][role]) in table]
    reached = (table[keys] != "").any(axis="columns")
    if without := int((~reached).sum()):
        said.append(
            translated(
                "Left out: {n:customer|customers} without an address ({columns}).", n=without, columns=keys
            )
        )
    table = table[reached]
    for key in keys:
        again = table[key].str.casefold().duplicated() & (table[key] != "")
        if again.any():
            said.append(
                translated(
                    "Left out: {n:customer|customers} whose {column} another customer before them has.",
                    n=int(again.sum()),
                    column=key,
                )
            )
        table = table[~again]
    return table.reset_index(drop=True)


def _addresses(cells: list[str], role: Role, said: list[str]) -> list[str]:
    """Keep the addresses that can be imported, the others are empty; say how many."""
    read = [_phone(cell) if role == "phone" else cell.strip() for cell in cells]
    shape = _E164 if role == "phone" else _EMAIL
    kept = [each if shape.fullmatch(each) else "" for each in read]
    lost = [cell for cell, each in zip(cells, kept, strict=True) if cell.strip() and not each]
    if lost and role == "phone":
        said.append(
            translated(
                "Left empty: {n:phone number|phone numbers} without a country code, as in +98 912 000 0000.",
                n=len(lost),
            )
        )
    elif lost:
        said.append(
            translated(
                "Left empty: {n:e-mail address that is none|e-mail addresses that are none}.", n=len(lost)
            )
        )
    return kept


def _phone(text: str) -> str:
    """Write a phone number by E.164, if it has a country code.

    Examples
    --------
    >>> _phone("0098 (912) 345-67 89"), _phone("+۹۸۹۱۲۳۴۵۶۷۸۹"), _phone("0912 345 6789")
    ('+989123456789', '+989123456789', '09123456789')
    """
    digits = "".join(
        str(unicodedata.digit(each)) if each.isdigit() else each
        for each in text
        if each.isdigit() or each == "+"
    )
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def _cut(text: str) -> str:
    """Cut a text to the bytes that fit, between letters.

    Examples
    --------
    >>> len(_cut("سلام" * 100).encode())
    255
    """
    whole = text.encode()
    return text if len(whole) <= _LONGEST_BYTES else whole[: _LONGEST_BYTES - 3].decode(errors="ignore") + "…"


def _texts(column: pd.Series) -> list[str]:
    return ["" if pd.isna(cell) else str(cell) for cell in column]
