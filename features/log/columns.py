"""The columns of a raw log: which is which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from features.errors import LogError, MissingColumnError
from features.language import translated
from features.log.remedies import typed
from features.log.settings import Columns, LogRules
from features.suggestion import nearest

FIELDS = {
    "customer_id": "customer_column",
    "ordered_at": "date_column",
    "amount": "amount_column",
    "currency": "currency_column",
    "order_id": "order_column",
    "margin": "margin_column",
    "channel": "channel_column",
    "product_id": "product_column",
    "quantity": "quantity_column",
    "category": "category_column",
    "discount": "discount_column",
}
# Parts of the names by which shops, charities and clinics call what is required, in the order of trust; with ^ and $
# a whole name, whose part may mean something else, as in is_gift, gift_card or service_fee.
_USUAL = {
    "customer_id": "customer|client|buyer|member|donor|patient|subscriber|policy[ _]?holder|card[ _]?holder|shopper|"
    "supporter|constituent|passenger|student|household|^guest$|^guest[ _]?id$|^contact[ _]?id$|user|kunde|cliente|"
    "müşteri|musteri|کد ?مشتری|مشتری|خریدار|کاربر|بیمار|مشترک|عضو|account|card|email|uid|id",
    "ordered_at": "date|time|datum|tarih|fecha|data|تاریخ|زمان|روز|ordered|purchased|created|timestamp|ts|day|when|at",
    "amount": "amount|revenue|total|value|sales|spend|betrag|umsatz|montant|importe|tutar|مبلغ|جمع|paid|sum|net|gross|"
    "donation|donations|^gifts?$|^fees?$|^charges?$|^fares?$|^contributions?$",
    "price": "price|preis|prix|precio|prezzo|fiyat|قیمت",
    "quantity": "quantity|qty|units|menge|anzahl|quantité|cantidad|adet|miktar|تعداد",
}
_DATES = re.compile("(?i)date|day|datum|tarih|fecha|تاریخ|روز")
"""Whole names of a column that is taken for the date of an order, where no other could be."""
_ARABIC = str.maketrans("يك", "یک")
_NO_SALES = re.compile(
    r"(?i)discount|rabatt|remise|descuento|tax|vat|mwst|kdv|shipping|(?<!^)fees?\b|refund|\btips?\b|تخفیف|مالیات"
)
"""Names of amounts that are a part of the price, or none of it."""
_PERIOD = r"(19|20|13|14)[0-9]{2}([-/. ]?(0?[1-9]|1[0-2]|Q[1-4]))?$"  # a year, a month or a quarter
# Words of SQL that a column's name may be.
_RESERVED = re.compile(
    "all|analy[sz]e|and|any|array|as|asc|asymmetric|both|case|cast|check|collate|column|constraint|create|default|"
    "deferrable|desc|describe|distinct|do|else|end|except|false|fetch|for|foreign|from|group|having|in|initially|"
    "intersect|into|lambda|lateral|leading|limit|not|null|offset|on|only|or|order|pivot(_longer|_wider)?|placing|"
    "primary|qualify|references|returning|select|show|some|summarize|symmetric|table|then|to|trailing|true|union|"
    "unique|unpivot|using|variadic|when|where|window|with",
    re.IGNORECASE,
)


def locate(
    available: list[str], rules: LogRules, columns: Columns, terms: tuple[str, ...] | None = None
) -> dict[str, str]:
    """Find the contract's columns in a log.

    Parameters
    ----------
    available : list of str, the log's columns
    rules : LogRules
        With a ``currency``, the currency column is required.
    columns : Columns
        A column that is not required may be absent under its default name, but not under a chosen one.
    terms : tuple of str
        The columns of an amount expression, required in place of the amount column.

    Returns
    -------
    dict of str to str
        The log's name of each of the contract's columns that it has: ``customer_id``, ``ordered_at`` ... Where nothing
        is missing but the date, a column called just ``date``, ``day`` or the like is it, if no other could be.

    Raises
    ------
    MissingColumnError
        If a column is missing; names those there are, the nearest, and the flag to use.
    LogError
        If the log has two columns of a name that is wanted.

    Examples
    --------
    >>> locate(["id", "ordered_at", "amount"], LogRules(), Columns(customer_column="id"))
    {'customer_id': 'id', 'ordered_at': 'ordered_at', 'amount': 'amount'}
    >>> locate(["customer_id", "Date", "amount"], LogRules(), Columns())["ordered_at"]
    'Date'
    """
    fields = {role: field for role, field in FIELDS.items() if terms is None or role != "amount"}
    required = {"customer_id", "ordered_at", "amount"} | ({"currency"} if rules.currency else set())
    wanted = {role: str(getattr(columns, field)) for role, field in fields.items()}
    roles = {name: role for role, name in wanted.items()}
    missing: dict[str, str | None] = {
        name: Columns.flag(fields[role])
        for role, name in wanted.items()
        if name not in available and (role in required or name != Columns.model_fields[fields[role]].default)
    }
    missing |= {name: None for name in terms or () if name not in available}
    if list(missing) == [Columns().date_column] and (date := _only_date(available, roles)):
        wanted["ordered_at"] = date
        missing = {}
    if missing:
        raise _missing_columns(missing, available, roles)
    located = {role: name for role, name in wanted.items() if name in available}
    if twice := {name for name in (*located.values(), *(terms or ())) if available.count(name) > 1}:
        raise LogError(
            translated(
                "The log has two columns of one name: {listed}. Rename one of them.",
                listed=listed(sorted(twice)),
            )
        )
    return located


def _only_date(available: list[str], roles: dict[str, str]) -> str | None:
    """Return the column that is called a date and nothing else, where no other has a name that a date may have."""
    free = [name for name in available if name not in roles]
    found = _called("ordered_at", free)
    return found[0] if len(found) == 1 and _DATES.fullmatch(_plain(found[0])) else None


def _missing_columns(
    missing: dict[str, str | None], available: list[str], roles: dict[str, str]
) -> MissingColumnError:
    """Name what is missing and what there is, and say what kind of file it seems to be, or which columns to take."""
    names = {"missing": [repr(name) for name in missing], "available": [repr(name) for name in available]}
    found = (
        translated("The log has no column {missing}; it has {available}.", **names)
        if len(missing) == 1
        else translated("The log has no columns {missing}; it has {available}.", **names)
    )
    told = _one_column(available[0]) if len(available) == 1 else ""
    periods = [name for name in available if re.match(_PERIOD, name.strip())]
    if told:
        pass
    elif (
        len(periods) > 2 and 2 * len(periods) > len(available) and (near := _usual("customer_id", available))
    ):
        told = translated(
            "It seems to be a pivot table, with a row for each {customer} and a column for each period: give the "
            "orders themselves, one a row.",
            customer=repr(near),
        )
    elif all(re.fullmatch("'.*'", name.strip()) for name in available):
        told = translated(
            "Its cells stand in single quotes, which are no quotes of a CSV: replace them by double ones."
        )
    elif any(re.match(r"[+-]?[0-9]+([.,/-][0-9]+)*$", name.strip()) for name in available):
        told = translated(
            "Its first line seems to be an order: write a header above it, such as {header}.",
            header=",".join(missing),
        )
    if told:
        return MissingColumnError(f"{found} {told}")
    advice = "; ".join(filter(None, _advice(missing, available, roles)))
    remedy = translated("Perhaps {advice}.", advice=advice) if advice else ""
    return MissingColumnError(found, remedy, _renaming(missing, available, roles))


def _renaming(missing: dict[str, str | None], available: list[str], roles: dict[str, str]) -> str:
    """Say which columns a file needs, and which of its own to rename, to somebody who has no flags."""
    free = [name for name in available if name not in roles]
    pairs = [(_near(name, available, free, roles), name) for name in missing]
    renamed = [
        translated("{near} to {name}", near=repr(near), name=repr(name)) for near, name in pairs if near
    ]
    needed = listed(name for name, role in roles.items() if role in ("customer_id", "ordered_at", "amount"))
    said = translated(
        "A file of orders has a column each for the id of the customer, the day of the order and its amount, called "
        "{needed}.",
        needed=needed,
    )
    if not renamed:
        return said
    return f"{said} " + translated("Rename in its first line: {pairs}.", pairs="; ".join(renamed))


def _near(name: str, available: list[str], free: list[str], roles: dict[str, str]) -> str | None:
    """Return the nearest name to one that is missing, or by what shops call it."""
    near = nearest(name, available, cutoff=0.85) or _usual(roles.get(name, ""), free)
    return near or nearest(name, available, cutoff=0.7)


def _advice(missing: dict[str, str | None], available: list[str], roles: dict[str, str]) -> Iterator[str]:
    """Suggest for what is missing the nearest or what shops call it, with the flag to use; none: of an expression."""
    free = [name for name in available if name not in roles]
    for name, flag in missing.items():
        if twins := [each for each in available if re.fullmatch(rf"{re.escape(name)}#[0-9]+", each)]:
            named = translated(" or ").join(map(repr, twins))
            yield translated("{use}, whichever is meant", use=_use(name, flag, named))
            continue
        near = _near(name, available, free, roles)
        price, quantity = (_usual(role, free) if near is None else None for role in ("price", "quantity"))
        if roles.get(name) == "amount" and price and quantity:
            expression = f"{quoted(quantity)} * {quoted(price)}"
            yield translated(
                "for {name} use {flags}", name=repr(name), flags=typed("--amount-expression", expression)
            )
        elif near := near or (price if roles.get(name) == "amount" else None):
            yield _use(name, flag, repr(near))
        elif flag:
            yield _use(name, flag, translated("COLUMN"))


def _use(name: str, flag: str | None, column: str) -> str:
    if flag is None:
        return translated("for {name} in --amount-expression write {column}", name=repr(name), column=column)
    return translated("for {name} use {flags}", name=repr(name), flags=f"{flag} {column}")


def _one_column(header: str) -> str:
    """Say why a header is one cell, where it seems to hold several names."""
    if re.search(r"[^,]+,[^,]+", header):
        return translated(
            "Each line stands in quotes as a whole: take the outer quotes off, and write two in a row within as one."
        )
    if re.search(r"\w[^\w\s.-]\w|\w\s{2,}\w", header):
        return translated(
            "Columns are told apart by commas, semicolons, tabs or bars: save the file with one of these."
        )
    return ""


def _usual(role: str, available: list[str]) -> str | None:
    """Return the column whose name has a word by which shops call a role, if there is one: the first in its trust."""
    return next(iter(_called(role, available)), None)


def _called(role: str, available: list[str]) -> list[str]:
    """Return the columns whose names have a word by which shops call a role, those in which to trust most first."""
    words = {
        name: _plain(name) for name in available if role != "amount" or not _NO_SALES.search(_plain(name))
    }
    called: list[str] = []
    for word in filter(None, _USUAL.get(role, "").split("|")):
        part = word if word.startswith("^") else rf"(?:^|[\W_]){word}(?:$|[\W_]|(?:id|no|nr)$)"
        found = [name for name in words if re.search(part, words[name])]
        # Rather date than birth_date, and customer_id than customer_name.
        whole = [name for name in found if words[name] == word]
        ends = [name for name in found if re.search(rf"{word}[\W_]?(id|no|nr)?$", words[name])]
        called += [*whole, *ends, *found]
    return list(dict.fromkeys(called))


def _plain(name: str) -> str:
    """Return a name's words in small letters, those of Persian by their Persian code points."""
    return re.sub(r"(?<=[^\W_])(?=[A-Z][a-z])", " ", name).lower().translate(_ARABIC).strip()


def listed(names: Iterable[object]) -> str:
    """Quote names for a message.

    Examples
    --------
    >>> listed(["ts", "Customer ID"])
    "'ts', 'Customer ID'"
    """
    return ", ".join(repr(str(name)) for name in names)


def quoted(name: str) -> str:
    """Return a column's name as a query or an expression has it.

    Examples
    --------
    >>> quoted("amount"), quoted("Unit Price"), quoted("order")
    ('amount', '"Unit Price"', '"order"')
    """
    plain = name.isidentifier() and not _RESERVED.fullmatch(name)
    return name if plain else '"' + name.replace('"', '""') + '"'
