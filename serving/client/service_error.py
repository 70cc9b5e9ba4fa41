"""What went wrong when the service was asked, in its own words where it said something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from features.errors import StayworthError


class ServiceError(StayworthError):
    """The service refused, failed, or could not be reached.

    Parameters
    ----------
    message : str
        In the service's words, where it said something.
    status : int or None
        Of the HTTP answer; None where there was none.
    code : str
        As in ``{"error": {"code"}}``; ``unreachable``, ``timeout`` or ``protocol`` where there was no
        answer, ``not_stayworth`` where it was not this service's.
    details : sequence of mappings with ``loc`` and ``message``
    request_id : str
        By which the service's log names the request.
    retry_after : float or None, seconds
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str,
        details: Sequence[Mapping[str, str]] = (),
        request_id: str,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{message} [{code}, request {request_id}]")
        self.status, self.code, self.message = status, code, message
        self.details, self.request_id, self.retry_after = tuple(details), request_id, retry_after


def refused(answer: httpx.Response, found: Any, asked: str, request_id: str) -> ServiceError:
    """Return the error for an answer that is none: the service's own words, or a proxy's status."""
    error = found.get("error") if isinstance(found, dict) else None
    said = error if isinstance(error, dict) else {}
    seconds = answer.headers.get("Retry-After", "")
    return ServiceError(
        str(said.get("message") or f"{asked} answers {answer.status_code}, and not as stayworth does."),
        status=answer.status_code,
        code=str(said.get("code") or "not_stayworth"),
        details=said.get("details") or (),
        request_id=answer.headers.get("X-Request-ID", request_id),
        retry_after=float(seconds) if seconds.isascii() and seconds.isdigit() else None,
    )
