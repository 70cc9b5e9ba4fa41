"""One path of the API, as routing, the access check and the OpenAPI document need to know it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from starlette.responses import Response

from features.language import ENGLISH


@dataclass
class ApiRequest:
    """One request, admitted and read.

    Parameters
    ----------
    body : bytes
        Empty for a GET.
    caller : str
        The name of its key; without one, the address that it came from.
    language : str
        In which its answer says what people read.
    log_fields : dict
        What the access log adds to route, status and time; never a customer's value.
    """

    body: bytes = b""
    caller: str = ""
    language: str = ENGLISH
    log_fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """A method and path, and the coroutine that answers it.

    Parameters
    ----------
    method : "GET" or "POST"
    path : str
        Without parameters: it labels the metrics and the log.
    answer : coroutine function of an ApiRequest, returning a Response
        The first line of its docstring is the summary in the OpenAPI document.
    scope : str or None
        The scope a key must have; empty: any key will do; None: no key is asked for.
    request, response : class or None
        Schemas of the JSON body and of the JSON answer; without the latter the answer is text.
    may_be_unavailable : bool
        Whether it needs a model or the store, without which it answers 503.
    in_language : bool
        Whether the answer holds sentences, in the language of ``Accept-Language``.
    documented : bool
        Whether the OpenAPI document lists it.
    """

    method: Literal["GET", "POST"]
    path: str
    answer: Callable[[ApiRequest], Awaitable[Response]]
    scope: str | None = None
    request: type[BaseModel] | None = None
    response: type | None = None
    may_be_unavailable: bool = False
    documented: bool = True
    in_language: bool = False

    @property
    def refusals(self) -> list[int]:
        """Statuses of the refusals that the operation may answer with."""
        own = {400, 403, 431, 500}
        if self.may_be_unavailable:
            own |= {503}
        if self.method == "POST":
            own |= {408, 413, 415}
        if self.scope is not None:
            own |= {401, 429, 503}  # without the keys nobody is let in
        return sorted(own)
