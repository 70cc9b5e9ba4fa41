"""Opaque keys in the workbench's addresses: texts that only it can read back."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

LONGEST = 1_000
"""Characters of a key; longer ones are none of ours."""


class Sealer:
    """Encrypts texts, the same always to the same key, so that a link stays the same (AES-SIV, RFC 5297).

    Parameters
    ----------
    secret : bytes of length 32, 48 or 64

    Examples
    --------
    >>> sealer = Sealer(bytes(32))
    >>> key = sealer.seal("customer", "0017")
    >>> key, sealer.opened("customer", key), sealer.opened("search", key), sealer.opened("customer", "0017")
    ('...', '0017', None, None)
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(secret)

    def seal(self, purpose: str, text: str) -> str:
        """Return the key of a text, for one purpose."""
        sealed = self._cipher.encrypt(text.encode(errors="surrogatepass") + b".", [purpose.encode()])
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def opened(self, purpose: str, key: str) -> str | None:
        """Return the text of a key; None if the key is none of ours, or of another purpose."""
        if len(key) > LONGEST:
            return None
        try:
            sealed = urlsafe_b64decode(key.encode("ascii") + b"=" * (-len(key) % 4))
            text = self._cipher.decrypt(sealed, [purpose.encode()])
        except (UnicodeEncodeError, binascii.Error, ValueError, InvalidTag):
            return None
        return text[:-1].decode(errors="surrogatepass")
