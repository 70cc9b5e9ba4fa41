"""Which columns of a table of contacts are the name, the e-mail address and the phone number, by their headers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, get_args

Role = Literal["name", "first_name", "last_name", "email", "phone"]
ROLES: tuple[Role, ...] = get_args(Role)

_HEADERS: dict[Role, tuple[str, ...]] = {
    "name": (
        *("name", "full name", "fullname", "customer name", "contact name", "display name"),
        *("نام", "نام و نام خانوادگی", "نام مشتری"),
    ),
    "first_name": ("first name", "firstname", "given name", "fname", "نام کوچک"),
    "last_name": ("last name", "lastname", "surname", "family name", "lname", "نام خانوادگی"),
    "email": ("email", "e mail", "email address", "e mail address", "mail", "ایمیل", "رایانامه"),
    "phone": (
        *("phone", "phone number", "mobile", "mobile number", "mobile phone", "telephone", "tel", "cell", "cellphone"),
        *("تلفن", "موبایل", "تلفن همراه", "شماره تلفن", "شماره تماس", "شماره موبایل"),
    ),
}  # fmt: skip


def contact_columns(names: Iterable[str]) -> dict[Role, str]:
    """Return the column of each role that there is, the first of several, in the order of `ROLES`.

    Examples
    --------
    >>> contact_columns(["city", "E-Mail", "Mobile_Phone", "نام"])
    {'name': 'نام', 'email': 'E-Mail', 'phone': 'Mobile_Phone'}
    """
    plain = {name: re.sub(r"[\s_.\-/]+", " ", name).strip().casefold() for name in reversed(list(names))}
    found = {header: name for name, header in plain.items()}
    return {
        role: next(found[header] for header in _HEADERS[role] if header in found)
        for role in ROLES
        if any(header in found for header in _HEADERS[role])
    }
