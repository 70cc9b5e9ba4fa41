"""The workbench's ASGI application: reads a request, checks who asks, answers with a page, and logs the route.

Pages read the store by calls that wait, so they are made in threads; what a request brings is read before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.errors import (
    StayworthError,
    StoreError,
)
from features.language import LANGUAGES, saying_instead, translated, use_language
from serving.workbench.entrances import ENTRANCES, Entrance, Handler
from serving.workbench.guard import LANGUAGE_COOKIE, Guard
from serving.workbench.page import go_to, said, script, script_path, stylesheet, stylesheet_path
from serving.workbench.refusals import FILES_UNREAD, not_ours, refusal, said_of, unread
from serving.workbench.signing_in import sign_in
from serving.workbench.typed import is_own_form, keep_typed
from serving.workbench.uploads import read_upload
from serving.workbench.visit import Sources, Visit
from serving.workbench.wording import IN_BROWSER

LARGEST_FORM = 64 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_log = logging.getLogger("stayworth.access")

Answer = Callable[[Request], Awaitable[Response]]


def application(
    sources: Sources, secret: bytes, *, loopback: bool, language: str = "en", host: str = ""
) -> Starlette:
    """Return the application.

    Parameters
    ----------
    sources : Sources
    secret : bytes
        What tokens of forms are made with.
    loopback : bool
        Whether only this machine can ask.
    language : {"en", "fa"}
        Unless the visitor chose.
    host : str
        Name of this machine besides localhost, where only it can ask.
    """
    door = _Door(sources, Guard(sources.store, secret, loopback=loopback, host=host), language)
    routes = [Route(each.path, door.answering(each), methods=[each.method]) for each in ENTRANCES]
    routes.append(Route("/sign-in", door.signing_in, methods=["POST"]))
    routes.append(Route(stylesheet_path(), _styles))
    routes.append(Route(script_path(), _script))
    return Starlette(routes=routes, exception_handlers={404: door.not_found, 405: door.not_found})


_KEPT = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


async def _styles(request: Request) -> Response:
    return Response(stylesheet(), media_type="text/css", headers=_KEPT)


async def _script(request: Request) -> Response:
    return Response(script(), media_type="text/javascript", headers=_KEPT)


class _Door:
    """Makes of a handler what Starlette calls."""

    def __init__(self, sources: Sources, guard: Guard, language: str) -> None:
        self.sources, self.guard, self.language = sources, guard, language

    def answering(self, entrance: Entrance) -> Answer:
        """Return what answers requests for one path."""

        async def answer(request: Request) -> Response:
            def handle(visit: Visit) -> Response:
                if not entrance.role:
                    return entrance.handler(visit)
                user = self.guard.user_of(visit.session)
                if user is None:
                    return keep_typed(visit, None) if entrance.keeps else self._ask(visit)
                if not user.may(entrance.role):
                    return refusal(visit, user.role, entrance.role)
                return entrance.handler(replace(visit, user=user))

            return await self._answer(request, entrance.path, handle, entrance)

        return answer

    async def signing_in(self, request: Request) -> Response:
        """Answer the form of name and password."""
        begun: list[str] = []

        def handle(visit: Visit) -> Response:
            response, session = sign_in(visit, self.guard)
            begun.append(session)
            return response

        response = await self._answer(request, "/sign-in", handle)
        if begun:
            self.guard.set_session(response, request, begun[0])
        return response

    async def not_found(self, request: Request, error: Exception) -> Response:
        """Answer a path that is none; one of a form alone, such as after the choice of a language, by its page."""
        only_sent = isinstance(error, HTTPException) and error.status_code == 405 and request.method == "GET"

        def nothing(visit: Visit) -> Response:
            return said(self._with_user(visit), translated("There is no such page."), status=404)

        return await self._answer(request, "other", _its_page if only_sent else nothing)

    async def _answer(
        self, request: Request, route: str, handle: Handler, entrance: Entrance | None = None
    ) -> Response:
        started = time.perf_counter()
        if not self.guard.is_meant(request.headers.get("host", "")):
            return Response("Without users, only requests for this machine are answered.", 400)
        session = self.guard.session_of(request)
        visit = self._visit(request, session)
        try:
            takes_files = entrance is not None and entrance.files
            if takes_files and not await run_in_threadpool(self._may_send, session, entrance):
                takes_files = False
            visit = replace(visit, form=await _form(request, files=takes_files))
            keeps = entrance is not None and entrance.keeps and is_own_form(request)
            response = await run_in_threadpool(self._in_words, visit, request.method, handle, keeps)
            await visit.form.close()
        except HTTPException as error:
            response = await run_in_threadpool(self._not_read, visit, entrance, error.status_code)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if session != request.cookies.get("stayworth_session"):
            self.guard.set_session(response, request, session)
        line = {"route": route, "method": request.method, "status": response.status_code}
        line["ms"] = round((time.perf_counter() - started) * 1000, 2)
        _log.info("page", extra={"fields": line})
        return response

    def _visit(self, request: Request, session: str) -> Visit:
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        return Visit(
            self.sources,
            user=None,
            language=chosen if chosen in LANGUAGES else self.language,
            csrf=self.guard.csrf_of(session),
            session=session,
            address=request.client.host if request.client else "",
            url=request.url,
            query=request.query_params,
            form=FormData(),
            path=dict(request.path_params),
            guarded=self.guard.is_closed(),
        )

    def _with_user(self, visit: Visit) -> Visit:
        """Return a visit with who has signed in, who finds the way on in the menu; without, where nobody can tell."""
        try:
            return replace(visit, user=self.guard.user_of(visit.session))
        except StoreError:
            return visit

    def _may_send(self, session: str, entrance: Entrance | None) -> bool:
        """Tell whether a session may send files there, before they are read."""
        try:
            user = self.guard.user_of(session)
        except StoreError:
            return False
        return user is not None and entrance is not None and user.may(entrance.role)

    def _not_read(self, visit: Visit, entrance: Entrance | None, status: int) -> Response:
        with use_language(visit.language), saying_instead(IN_BROWSER):
            try:
                self._require_store()
                return unread(replace(visit, user=self.guard.user_of(visit.session)), entrance, status)
            except StoreError as error:
                return said_of(visit, error)

    def _in_words(self, visit: Visit, method: str, handle: Handler, keeps: bool) -> Response:
        """Answer in the visitor's language; say what went wrong where it did."""
        with use_language(visit.language), saying_instead(IN_BROWSER):
            if method == "POST" and not self.guard.is_ours(visit.session, visit.sent("csrf")):
                if keeps:
                    return keep_typed(visit, self.guard.user_of(visit.session))
                return not_ours(self._with_user(visit))
            try:
                self._require_store()
                return handle(visit)
            except StayworthError as error:
                return said_of(self._with_user(visit), error)
            except Exception:
                logging.getLogger("stayworth").exception("A page failed.")
                title = translated("Something went wrong here, not with you.")
                why = translated("The log of the workbench says what.")
                return said(self._with_user(visit), title, why, status=500)

    def _require_store(self) -> None:
        """Refuse to answer while the file of the store is away, which would look as if nothing was published."""
        file = self.sources.store.address.file
        if file is not None and not file.exists():
            raise StoreError(
                translated(
                    "Its file is not there just now. Nothing was changed: load the page again when it is back."
                )
            )

    def _ask(self, visit: Visit) -> Response:
        """Send whoever has not signed in to do so, and then back to the page."""
        query = f"?{visit.url.query}" if visit.url.query else ""
        return go_to(f"/sign-in?{_to(visit.url.path + query)}")


def _to(path: str) -> str:
    from urllib.parse import urlencode

    return urlencode({"to": path})


async def _form(request: Request, *, files: bool) -> FormData:
    """Read the fields of a form; what is longer than any of ours is refused before it is read."""
    if request.method != "POST":
        return FormData()
    if files and "multipart" in request.headers.get("content-type", ""):
        return await read_upload(request)
    received, parts = 0, []
    async for part in request.stream():
        received += len(part)
        if received > LARGEST_FORM:
            raise HTTPException(413)
        parts.append(part)
    request._body = b"".join(parts)
    if "multipart" in request.headers.get("content-type", ""):
        raise HTTPException(FILES_UNREAD)
    return await request.form()


def _its_page(visit: Visit) -> Response:
    parts = visit.url.path.split("/")
    return go_to("/".join(parts[:3] if parts[1] == "campaigns" else parts[:2]))
