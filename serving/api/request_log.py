"""The record of a request: one line in the access log, and its count and time in the metrics.

Both name the route, never the path, the query or the body that a caller made up.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from serving.api.logs import ACCESS
from serving.api.metrics import count_request

UNLOGGED = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
"""Probes and Prometheus ask every few seconds."""

_log = logging.getLogger(ACCESS)


def record(route: str, method: str, status: int, seconds: float, fields: Mapping[str, Any]) -> None:
    """Record one answered request.

    Parameters
    ----------
    route : str
        Or "other", if the path is none of the service's.
    method : str
    status : int
    seconds : float
        From the request's head to its answer.
    fields : mapping
        ``request_id``, and whatever else the log should hold; never a customer's value.
    """
    count_request(route, status, seconds)
    if route not in UNLOGGED:
        line = {"route": route, "method": method, "status": status, "ms": round(seconds * 1000, 2), **fields}
        _log.info("request", extra={"fields": line})
