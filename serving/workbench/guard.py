"""Who may see a page: sessions by a cookie, tokens that keep forms from other sites out, and limits of signing in."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import time
from datetime import UTC, datetime
from threading import Lock

from limits import parse
from starlette.requests import Request
from starlette.responses import Response

from features.errors import StoreError
from serving.api.rates import Rates
from serving.store.store import Store
from serving.store.users import SESSION_HOURS, User, Users

SESSION_COOKIE = "stayworth_session"
LANGUAGE_COOKIE = "stayworth_language"

ATTEMPTS_OF_ADDRESS = parse("20/minute")
ATTEMPTS_OF_NAME = parse("100/hour")
"""To sign in, right or wrong: the one against guessing from one place, the other from many."""

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")

_FRESH_SECONDS = 2.0
_NOBODY = User(0, "-", "admin", datetime(1970, 1, 1, tzinfo=UTC))
"""Who writes while there are no users: this machine's own."""

_log = logging.getLogger("stayworth")


class Guard:
    """The checks of a request.

    Parameters
    ----------
    store : Store
    secret : bytes
        What tokens of forms are made with.
    loopback : bool
        Whether only this machine can ask; then nobody signs in until there are users.
    host : str
        Name of this machine besides localhost.
    """

    def __init__(self, store: Store, secret: bytes, *, loopback: bool, host: str = "") -> None:
        self._names = {*LOCAL_NAMES, host.lower()} - {""}
        self._users: Users = store.users
        self._secret, self.loopback = secret, loopback
        self._rates, self._lock = Rates(), Lock()
        self._closed, self._looked_at = not loopback, float("-inf")

    def is_closed(self) -> bool:
        """Tell whether users sign in; once they do, they go on to until the process ends.

        While the store cannot be read, they do.
        """
        with self._lock:
            if not self._closed and time.monotonic() - self._looked_at > _FRESH_SECONDS:
                try:
                    self._closed = bool(self._users.all())
                except StoreError:
                    return True
                self._looked_at = time.monotonic()
            return self._closed

    def is_meant(self, host: str) -> bool:
        """Tell whether a request names this machine, which it has to while nobody signs in.

        A page elsewhere may let its own name resolve to 127.0.0.1 and read what is answered (DNS rebinding); the header
        ``Host`` still has that name.
        """
        name = re.sub(r":\d+$", "", host).strip("[]").lower()
        return self.is_closed() or name in self._names

    def session_of(self, request: Request) -> str:
        """Return the token of the browser's session, a new one if it has none."""
        return request.cookies.get(SESSION_COOKIE) or secrets.token_urlsafe(32)

    def user_of(self, session: str) -> User | None:
        """Return who asks; None: they have to sign in.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        return self._users.of_session(session) if self.is_closed() else _NOBODY

    def csrf_of(self, session: str) -> str:
        """Return what the forms of a session must send back."""
        return hmac.new(self._secret, session.encode(), "sha256").hexdigest()

    def is_ours(self, session: str, sent: str) -> bool:
        """Tell whether a form was one of this session's."""
        return hmac.compare_digest(self.csrf_of(session).encode(), sent.encode())

    def wait_before_signing_in(self, address: str, name: str) -> float:
        """Count an attempt; return the seconds to wait where there were too many."""
        wait = self._rates.hit(f"address {address}", ATTEMPTS_OF_ADDRESS)
        return wait or self._rates.hit(f"name {name}", ATTEMPTS_OF_NAME)

    def set_session(self, response: Response, request: Request, session: str) -> None:
        """Give the browser its session: a cookie that no script and no other site can use."""
        response.set_cookie(
            SESSION_COOKIE,
            session,
            max_age=SESSION_HOURS * 3600,
            secure=not self.loopback or request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
