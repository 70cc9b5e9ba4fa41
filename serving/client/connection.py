"""A connection to the service: requests as JSON, retried where that is safe.

Every endpoint is idempotent, so what failed on the way (no connection, 429, 502, 503, 504) is asked again,
after the wait that the service names. A timeout is not: the same request would take as long once more.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import stamina

from features.errors import StayworthError
from serving.client.service_error import ServiceError, refused

# Else its retries are printed where nobody logs.
logging.getLogger("stamina").addHandler(logging.NullHandler())

_STRANGER_SECONDS = 5.0  # of patience with a host that has never answered
_NO_ANSWER: dict[str, tuple[type[Exception], ...]] = {
    "unreachable": (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError),
    "timeout": (httpx.TimeoutException,),
    "protocol": (httpx.TransportError,),
}
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_NO_JSON = (
    "The request cannot be written as JSON: a number is NaN or infinite, or a value is neither text, number, "
    "date nor decimal. Use None where something is not known."
)


class Connection:
    """An address of the service, asked again where that may help; shared by threads.

    Parameters
    ----------
    base_url, api_key, timeout, retry_seconds, language : as for `serving.client.StayworthClient`
    """

    def __init__(
        self, base_url: str, api_key: str | None, timeout: float, retry_seconds: float, language: str
    ) -> None:
        url = _address(base_url)
        headers = {"Content-Type": "application/json", "Accept-Language": language}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {_key(api_key)}"
        self.address = f"{url.scheme}://{url.netloc.decode()}"
        self._retry_seconds = retry_seconds
        self._answered = False
        patience = httpx.Timeout(timeout, connect=min(timeout, _STRANGER_SECONDS))
        self._http = httpx.Client(base_url=url, headers=headers, timeout=patience)

    def ready(self) -> bool:
        """Tell whether the service answers and has a model; asks once."""
        try:
            return self._http.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send a document, and return the one that comes back."""
        try:
            content = json.dumps(body, default=_plain, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError):  # whose words may hold a customer's value
            raise StayworthError(_NO_JSON) from None
        return self.request("POST", path, content)

    def request(self, method: str, path: str, content: bytes | None = None) -> dict[str, Any]:
        """Ask, and ask again where that may help; all attempts have one request id."""
        request_id = uuid4().hex
        start = time.monotonic()

        def wait(error: Exception) -> bool | float:
            seconds = self._retry_seconds if self._answered else min(self._retry_seconds, _STRANGER_SECONDS)
            return _wait(error, start + seconds)

        for attempt in stamina.retry_context(wait, attempts=None, timeout=None):
            with attempt:
                return self._ask(method, path, content, request_id)
        raise AssertionError("an attempt returns or raises")

    def _ask(self, method: str, path: str, content: bytes | None, request_id: str) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, content=content, headers={"X-Request-ID": request_id})
        except httpx.TransportError as error:
            code = next(code for code, kinds in _NO_ANSWER.items() if isinstance(error, kinds))
            remedy = (
                "" if self._answered else " Is the address right, and does the service run? stayworth serve"
            )
            message = f"{method} {path}: {self.address} gives no answer ({type(error).__name__}).{remedy}"
            raise ServiceError(message, code=code, request_id=request_id) from None
        self._answered, found = True, None
        with suppress(ValueError):
            found = answer.json()
        if answer.is_success and isinstance(found, dict):
            return found
        raise refused(answer, found, f"{method} {path}: {self.address}", request_id)


def _address(base_url: str) -> httpx.URL:
    with suppress(httpx.InvalidURL):
        url = httpx.URL(base_url)
        if url.scheme in ("http", "https") and url.host and not url.userinfo:
            return url
    raise StayworthError(
        "The service's address is to be like http://127.0.0.1:3000, without a user or password in it."
    )


def _key(text: str) -> str:
    """Refuse what is no header before the HTTP library does, and quotes it."""
    key = text.strip()
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        raise StayworthError("The API key is not one: it is empty, or has spaces or odd characters.")
    return key


def _wait(error: Exception, until: float) -> bool | float:
    """Tell whether to ask again: False, or True for a growing pause, or the seconds that were named."""
    if not isinstance(error, ServiceError) or error.code == "nothing_published":
        return False
    if error.status not in _TRY_AGAIN and error.code != "unreachable":
        return False
    in_time = time.monotonic() + (error.retry_after or 0.0) < until
    return in_time if error.retry_after is None or not in_time else error.retry_after


def _plain(value: object) -> str:
    """Write dates and decimals as the service reads them."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and math.isfinite(value):
        return format(value, "f")
    raise TypeError
