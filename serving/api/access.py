"""Access control: API keys, their scopes and limits, and the host names of a service without keys.

Keys are read from the score store every few seconds, so that a revoked key stops working within them; a key that is not
known yet waits for the next reading, a moment later at most. While the store is down or gone, the keys read last remain
valid: once there was a key, a service does not open by itself, not after a restart either, for which a file in the
cache folder says so. A key is compared with every active one in constant time. Requests are counted for all workers
together.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import math
import re
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread
from limits import RateLimitItem, parse

from features.errors import StoreError
from serving.api.rates import Rates
from serving.api.refusals import Refusal
from serving.store.keys import ERASE, ApiKey, Keys, digest

Mode = Literal["auto", "always", "off"]

REFRESH_SECONDS = 2.0

WRONG_KEYS = parse("30/minute")
"""What an address may send before it has to wait; good keys from the same address are not concerned."""

BETWEEN_LOOKS_SECONDS = 0.2
"""Between two readings because a key is not known yet: all that arrive in between share the second one."""

_log = logging.getLogger("stayworth")


class Access:
    """Checks of a request's key and host.

    Parameters
    ----------
    keys : Keys
    mode : {"auto", "always", "off"}
        ``auto`` asks for a key once there is one; ``always`` even before.
    rate_limit : str or None
        Of a key that has none of its own, such as ``"600/minute"``.
    max_body_bytes : int
        Of a key that has none of its own.
    loopback_host : str, optional
        The address or name that the service listens on, where only this machine can reach it.
    rates : Rates, optional
        The counts, shared with other workers; by default this object's own.
    cache : Path, optional
        Folder in which it stays known that there was a key.
    """

    def __init__(
        self,
        keys: Keys,
        mode: Mode,
        rate_limit: str | None,
        max_body_bytes: int,
        loopback_host: str | None = None,
        rates: Rates | None = None,
        cache: Path | None = None,
    ) -> None:
        self._store_keys, self.mode = keys, mode
        self._had_keys = HadKeys(keys, cache)
        self._loopback_host = loopback_host
        self._rate_limit, self._max_body_bytes = rate_limit, max_body_bytes
        self._keys: list[ApiKey] | None = None
        self._read_at = 0.0
        self._reading = threading.Lock()
        self._rates = rates or Rates()
        self._said = False

    def start(self) -> None:
        """Read the keys, now and again every few seconds."""
        self._read()
        if self.mode != "off":
            threading.Thread(target=self._keep_reading, name="keys", daemon=True).start()

    def check_host(self, host: str) -> None:
        """Refuse a request for another machine's name, where this machine's programs need no key.

        A web page may let its own name resolve to 127.0.0.1, and its script then reads what is answered (DNS
        rebinding); the header ``Host`` still has that name. A proxy on this machine may pass on any name, but
        has no reason to be without keys.

        Raises
        ------
        Refusal
            403.
        """
        if self._loopback_host is None or self._is_closed():
            return
        name = re.sub(r":\d+$", "", host).strip("[]").lower()
        if name not in ("localhost", self._loopback_host.lower()) and not _is_loopback(name):
            raise Refusal(
                403, "Without API keys, only requests for this machine are answered: use http://127.0.0.1."
            )

    async def admit(
        self, authorization: str, scope: str, address: str = "", log_fields: dict[str, Any] | None = None
    ) -> ApiKey | None:
        """Check a request's key, scope and rate.

        Parameters
        ----------
        authorization : str
            The header; empty if there is none.
        scope : str
            The scope a key must have; empty: any key will do.
        address : str
            Of the caller: wrong keys are counted by it.
        log_fields : dict, optional
            Gets the name of the key, of a refused one too.

        Returns
        -------
        ApiKey, or None where no key is asked for

        Raises
        ------
        Refusal
            401, 403, 429; 503 where keys were never read.
        """
        if scope == ERASE and not self._is_closed():
            raise Refusal(
                403, f"Without API keys, nobody is erased over HTTP: stayworth keys add NAME --scope {ERASE}."
            )
        key = await self._key(authorization, address) if self._is_closed() else None
        if key is not None and log_fields is not None:
            log_fields["key"] = key.name
        if key is not None and scope and scope not in key.scopes:
            raise Refusal(403, f"This key has not the scope {scope!r}; it has {_listed(key.scopes)}.")
        self._count(key)
        return key

    def max_body_bytes(self, key: ApiKey | None) -> int:
        """Return the largest body that a key may send."""
        own = None if key is None else key.max_body_bytes
        return self._max_body_bytes if own is None else own

    def _is_closed(self) -> bool:
        return self.mode == "always" or (self.mode == "auto" and (self._keys != [] or self._had_keys.known))

    async def _key(self, authorization: str, address: str) -> ApiKey:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("Send an API key: Authorization: Bearer sw_…")
        sent = digest(token.strip())
        key = self._match(sent)
        if key is None:  # it may be newer than what was read
            arrived = time.monotonic()
            await anyio.sleep(max(self._read_at + BETWEEN_LOOKS_SECONDS - arrived, 0))
            await anyio.to_thread.run_sync(self._read, arrived)
            key = self._match(sent)
        if self._keys is None:
            raise Refusal(
                503, "The API keys cannot be read: the score store is down.", code="store_unavailable"
            )
        if key is None:
            self._count_wrong_key(address)
            raise _unauthorized("This API key is not known, or was revoked.")
        return key

    def _count_wrong_key(self, address: str) -> None:
        """Count a wrong key; refuse further ones of an address that has sent many."""
        left = self._rates.hit(f"wrong keys of {address}", WRONG_KEYS)
        if left:
            raise Refusal(429, "Too many wrong keys.", headers={"Retry-After": f"{max(left, 1):.0f}"})

    def _match(self, sent: str) -> ApiKey | None:
        found = None
        for key in self._keys or ():  # all of them: the time must not tell which one came near
            if hmac.compare_digest(key.digest, sent) and key.revoked_at is None:
                found = key
        return found

    def _count(self, key: ApiKey | None) -> None:
        text = (key and key.rate_limit) or self._rate_limit
        if text and (left := self._rates.hit(key.digest if key else "", _limit(text))):
            raise Refusal(
                429,
                f"More than {text} requests with this key.",
                headers={"Retry-After": f"{max(left, 1):.0f}"},
            )

    def _read(self, since: float = math.inf) -> None:
        """Read the keys, unless they were read since a moment: many at once need one reading."""
        with self._reading:
            if self._read_at > since:
                return
            began = time.monotonic()
            try:
                self._take(self._store_keys.all())
            except StoreError as error:
                if self._read_at == 0.0:
                    _log.warning("%s", error)
            self._read_at = began

    def _take(self, found: list[ApiKey]) -> None:
        """Keep the keys that were read; none where there were some means that the store is gone."""
        if found:
            self._had_keys.remember()
            self._keys, self._said = found, False
            return
        if self._keys is None:
            self._keys = []
        if self._had_keys.known and not self._said:
            self._said = True
            _log.error(
                "The score store has no API key any more, and there were some: keys are asked for all the same%s. "
                "Put the store back, or make a key: stayworth keys add NAME. --auth off opens the service.",
                ", and the last ones are still valid" if self._keys else ", and all are refused",
            )

    def _keep_reading(self) -> None:
        while True:
            time.sleep(REFRESH_SECONDS)
            self._read()


class HadKeys:
    """Whether a store has ever had a key, known to this process and, through a file, to those after it.

    Parameters
    ----------
    keys : Keys
    cache : Path, optional
        Folder of the file.
    """

    def __init__(self, keys: Keys, cache: Path | None) -> None:
        name = hashlib.sha256(keys.address.encode()).hexdigest()[:16]
        self._file = None if cache is None else cache.absolute() / f"keys-{name}"
        self.known = self._file is not None and self._file.exists()

    def remember(self) -> None:
        """Note that there is a key."""
        if not self.known and self._file is not None:
            with suppress(OSError):  # then only this process knows
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._file.touch(mode=0o600)
        self.known = True


@cache
def _limit(text: str) -> RateLimitItem:
    return parse(text)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _unauthorized(message: str) -> Refusal:
    return Refusal(401, message, headers={"WWW-Authenticate": "Bearer"})


def _listed(scopes: frozenset[str]) -> str:
    return ", ".join(map(repr, sorted(scopes))) or "none"
