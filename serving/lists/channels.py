"""Channels of offers, as people call them: which of them a program that sends e-mails or texts carries out."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from serving.lists.contact_columns import plain_header

Medium = Literal["email", "sms"]

# By language: English, Persian, German, French, Spanish, Turkish; as `plain_header` writes them.
_WORDS: dict[Medium, tuple[str, ...]] = {
    "email": (
        *("email", "emails", "e mail", "e mails", "newsletter", "mailchimp", "klaviyo"),
        *("ایمیل", "رایانامه", "پست الکترونیک", "پست الکترونیکی", "خبرنامه"),
        *("courriel", "mel", "correo electronico", "e posta", "eposta", "bulten"),
    ),
    "sms": (
        "sms",
        "text",
        "text message",
        "mms",
        "پیامک",
        "اس ام اس",
        "kisa mesaj",
        "texto",
        "mensaje de texto",
    ),
}
_ALONE: dict[Medium, tuple[str, ...]] = {"email": ("mail", "mails", "correo"), "sms": ()}
"""Words that are a letter on paper where another stands beside them, as in direct mail."""


def is_sent_by(channel: str, media: Collection[Medium]) -> bool:
    """Tell whether an offer goes out by one of some media; one whose channel nobody has stated may.

    Examples
    --------
    >>> [is_sent_by(each, ("email",)) for each in ("", "E-Mail", "ایمیل", "e-mail + phone", "phone", "direct mail")]
    [True, True, True, True, False, False]
    >>> is_sent_by("SMS", ("email",)), is_sent_by("SMS", ("email", "sms"))
    (False, True)
    """
    plain = " ".join(re.sub(r"[^\w]+", " ", plain_header(channel)).split())
    if not plain:
        return True
    return any(
        plain in _ALONE[medium] or any(f" {word} " in f" {plain} " for word in _WORDS[medium])
        for medium in media
    )
