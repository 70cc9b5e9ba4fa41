"""Signing in and out, and the choice of the language."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from starlette.responses import Response

from features.language import LANGUAGES, translated
from serving.workbench.guard import LANGUAGE_COOKIE, Guard
from serving.workbench.page import go_to, page
from serving.workbench.visit import WAIT_SECONDS, Visit

START = "/"
TYPED, LONGEST_TYPED = "typed", 60_000
"""The field with what was typed into a form before its session ended, and how long it may be."""
_A_YEAR = 365 * 86_400


def local_path(path: str) -> str:
    """Return a path of the workbench, the start where it is none.

    Examples
    --------
    >>> local_path("/customers?tier=vip"), local_path("//elsewhere.example"), local_path("https://elsewhere.example")
    ('/customers?tier=vip', '/', '/')
    """
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if ours else START


def sign_in_page(
    visit: Visit, problem: str = "", status: int = 200, *, name: str = "", typed: str = "", to: str = ""
) -> Response:
    """Ask for name and password, and remember where the visitor wanted to go, and what was typed there."""
    wanted = to or visit.sent("to", 4_000) or visit.query.get("to", "")
    typed = typed or visit.sent(TYPED, LONGEST_TYPED)
    said = {"problem": problem, "name": name, "typed": typed}
    return page(visit, "sign_in.html", status=status, to=local_path(wanted), **said)


def sign_in(visit: Visit, guard: Guard) -> tuple[Response, str]:
    """Begin a session; return the answer, and the session that the browser has from now on."""
    name = visit.sent("name")
    wait = guard.wait_before_signing_in(visit.address, name)
    if wait:
        sentence = translated("Too many attempts. Try again in {n:second|seconds}.", n=math.ceil(wait))
        refused = sign_in_page(visit, sentence, 429, name=name)
        refused.headers["Retry-After"] = str(math.ceil(wait))
        return refused, visit.session
    user = visit.sources.store.users.named(name, visit.sent("password", 1_000))
    if user is None:
        sentence = translated("Name and password do not go together.")
        return sign_in_page(visit, sentence, 403, name=name), visit.session
    session = visit.sources.store.users.begin_session(user, wait_seconds=WAIT_SECONDS)
    if typed := visit.sent(TYPED, LONGEST_TYPED):
        again = replace(visit, user=user, session=session, csrf=guard.csrf_of(session))
        return typed_page(again, local_path(visit.sent("to", 4_000)), typed), session
    return go_to(local_path(visit.sent("to", 4_000))), session


def typed_page(visit: Visit, path: str, typed: str) -> Response:
    """Show what was typed before the session ended: a button sends it where it was to go."""
    try:
        fields = [(str(name), str(value)) for name, value in json.loads(typed)]
    except (ValueError, TypeError):
        return go_to(path)
    return page(visit, "typed.html", path=path, fields=fields)


def sign_out(visit: Visit) -> Response:
    """End the session."""
    visit.sources.store.users.end_session(visit.who, visit.session, wait_seconds=WAIT_SECONDS)
    return go_to(START)


def choose_language(visit: Visit) -> Response:
    """Keep the language that the visitor chose, and show the page again."""
    response = go_to(local_path(visit.sent("to", 4_000)))
    language = visit.sent("language")
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_A_YEAR, httponly=True, samesite="lax")
    return response
