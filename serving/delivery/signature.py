"""Signatures of messages, by the scheme of Standard Webhooks; their libraries verify them in most languages.

References
----------
Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from features.errors import StayworthError
from features.language import translated

SECRET_VARIABLE = "STAYWORTH_WEBHOOK_SECRET"
_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


class SigningKey:
    """The secret that sender and receiver share; shown nowhere.

    Parameters
    ----------
    secret : str, ``whsec_`` and 24 to 64 bytes in base64

    Raises
    ------
    StayworthError
        If it is no such secret; it is not repeated.

    Examples
    --------
    >>> key = SigningKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """

    def __init__(self, secret: str) -> None:
        try:
            key = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not (secret.strip().startswith(_PREFIX) and _SHORTEST <= len(key) <= _LONGEST):
            raise StayworthError(
                translated(
                    "The secret of the webhook is not {prefix} and {shortest} to {longest} bytes in base64. "
                    "{how}",
                    prefix=_PREFIX,
                    shortest=_SHORTEST,
                    longest=_LONGEST,
                    how=_how(),
                )
            )
        self._key = key

    def __repr__(self) -> str:
        return "SigningKey(…)"

    def sign(self, message_id: str, timestamp: int, body: bytes) -> str:
        """Return the value of the header ``webhook-signature``: HMAC-SHA256 of ``id.timestamp.body``."""
        signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
        return f"v1,{base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()}"


def signing_key(environment: Mapping[str, str], file: Path | None) -> SigningKey:
    """Return the key of the file, else of the environment.

    Raises
    ------
    StayworthError
        If there is none, or it is no secret.
    """
    if file is not None:
        try:
            return SigningKey(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else translated("it is no text")
            raise StayworthError(
                translated(
                    "The webhook's secret cannot be read from {file}: {reason}.", file=file, reason=reason
                )
            ) from None
    secret = environment.get(SECRET_VARIABLE, "")
    if not secret.strip():
        raise StayworthError(
            translated(
                "A webhook's messages are signed, and there is no secret to do it with. {how}", how=_how()
            )
        )
    return SigningKey(secret)


def _how() -> str:
    """Say how a secret is made and given."""
    return translated(
        'Make one that the receiver gets too: echo "{prefix}$(openssl rand -base64 32)"; give it in the variable '
        "{variable} or in a file by --webhook-secret-file.",
        prefix=_PREFIX,
        variable=SECRET_VARIABLE,
    )
