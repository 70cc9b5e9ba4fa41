"""Remedies as they are typed: flags whose values a shell takes as they are meant."""

from __future__ import annotations

import re
import shlex

_ESCAPED = re.compile(r'["`]|\$(?=[\w{(@*#?!$-])|\\(?=["$`\\])')
"""What a shell does not take as it stands between double quotes."""


def typed(flag: str, value: str) -> str:
    r"""Return a flag with its value, in quotes where a shell would take it apart.

    Examples
    --------
    >>> print(typed("--where", "status = 'paid'"))
    --where "status = 'paid'"
    >>> print(typed("--where", "\"Financial Status\" = 'paid'"))
    --where "\"Financial Status\" = 'paid'"
    >>> print(typed("--currency", "EUR"))
    --currency EUR
    """
    if shlex.quote(value) == value:
        return f"{flag} {value}"
    if _ESCAPED.search(value) and "'" not in value:
        return f"{flag} '{value}'"
    quoted = _ESCAPED.sub(r"\\\g<0>", value)
    return f'{flag} "{quoted}"'


def with_replaced(*columns: str) -> str:
    """Return the flag of a query that reads a file with some columns replaced, each as ``expression AS name``.

    Examples
    --------
    >>> print(with_replaced("abs(discount) AS discount"))
    --transactions "FILE?query=SELECT * REPLACE (abs(discount) AS discount) FROM log"
    """
    return typed("--transactions", f"FILE?query=SELECT * REPLACE ({', '.join(columns)}) FROM log")
