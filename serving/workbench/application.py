"""The workbench's ASGI application: reads a request, checks who asks, answers with a page, and logs the route.

Pages read the store by calls that wait, so they are made in threads; what a request brings is read before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.errors import (
    ChangedMeanwhile,
    ConfirmedMeanwhile,
    NotThere,
    StayworthError,
    StoreBusy,
    StoreError,
)
from features.language import LANGUAGES, saying_instead, translated, use_language
from serving.workbench import (
    audit_page,
    campaigns,
    customer,
    customers,
    draft_audience,
    draft_budget,
    draft_files,
    draft_offers,
    draft_preview,
    models,
    overview,
    own_columns,
    report,
    version_page,
)
from serving.workbench.guard import LANGUAGE_COOKIE, Guard
from serving.workbench.page import go_to, said, script, script_path, stylesheet, stylesheet_path
from serving.workbench.signing_in import choose_language, sign_in, sign_in_page, sign_out
from serving.workbench.typed import is_own_form, keep_typed
from serving.workbench.uploads import LARGEST_UPLOAD, read_upload
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
_STATUS_OF_BUSY, _STATUS_OF_CHANGED, _STATUS_OF_FILES = 503, 409, 415

_log = logging.getLogger("stayworth.access")

Handler = Callable[[Visit], Response]
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Entrance:
    """A path, what answers it, and the role that it takes; an empty one: nobody need have signed in.

    ``keeps``: what was typed into its form outlives the session. ``files``: its form may have some.
    """

    path: str
    handler: Handler
    role: str = "look"
    method: str = "GET"
    keeps: bool = False
    files: bool = False


ENTRANCES: Sequence[Entrance] = (
    Entrance("/", overview.show),
    Entrance("/customers", customers.show),
    Entrance("/customers/search", customers.search, method="POST"),
    Entrance("/customers/export", customers.export, "campaign", "POST"),
    Entrance("/customers/columns", own_columns.bring, "admin", "POST", files=True),
    Entrance("/customers/{key}", customer.show),
    Entrance("/campaigns", campaigns.show),
    Entrance("/campaigns", draft_audience.begin, "campaign", "POST", keeps=True),
    Entrance("/campaigns/new", draft_audience.new, "campaign"),
    Entrance("/campaigns/{number}", campaigns.one),
    Entrance("/campaigns/{number}/audience", draft_audience.audience, "campaign"),
    Entrance("/campaigns/{number}/audience", draft_audience.choose_audience, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/offers", draft_offers.offers, "campaign"),
    Entrance("/campaigns/{number}/offers", draft_offers.choose_offers, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/budget", draft_budget.budget, "campaign"),
    Entrance("/campaigns/{number}/budget", draft_budget.choose_budget, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/files", draft_files.files, "campaign"),
    Entrance("/campaigns/{number}/files", draft_files.choose_files, "campaign", "POST", files=True),
    Entrance("/campaigns/{number}/preview", draft_preview.preview, "campaign"),
    Entrance("/campaigns/{number}/confirm", draft_preview.confirm, "campaign", "POST"),
    Entrance("/campaigns/{number}/renew", draft_preview.renew, "campaign", "POST"),
    Entrance("/campaigns/{number}/discard", draft_preview.discard, "campaign", "POST"),
    Entrance("/campaigns/{number}/plan", campaigns.plan_page),
    Entrance("/campaigns/{number}/measured", campaigns.measurement_page),
    Entrance("/campaigns/{number}/list", campaigns.download, "campaign", "POST"),
    Entrance("/campaigns/{number}/tell", campaigns.tell, "campaign", "POST"),
    Entrance("/campaigns/{number}/sent", campaigns.send, "campaign", "POST"),
    Entrance("/campaigns/{number}/withdraw", campaigns.withdraw, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/take-off", campaigns.take_off, "campaign", "POST", keeps=True),
    Entrance("/campaigns/{number}/measure", campaigns.measure, "campaign", "POST", files=True),
    Entrance("/report", report.show),
    Entrance("/models", models.show),
    Entrance("/models/rollback", models.roll_back, "admin", "POST"),
    Entrance("/models/{number}", version_page.show),
    Entrance("/models/{number}/card", models.card),
    Entrance("/models/{number}/promote", models.promote, "admin", "POST"),
    Entrance("/segments", customers.keep_segment, "campaign", "POST"),
    Entrance("/segments/{number}/remove", customers.remove_segment, "campaign", "POST"),
    Entrance("/audit", audit_page.show, "admin"),
    Entrance("/sign-in", sign_in_page, ""),
    Entrance("/sign-out", sign_out, method="POST"),
    Entrance("/language", choose_language, "", "POST"),
)


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
                    return _refusal(visit, user.role, entrance.role)
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
            response = await run_in_threadpool(self._unread, visit, entrance, error.status_code)
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

    def _unread(self, visit: Visit, entrance: Entrance | None, status: int) -> Response:
        """Say why nothing was read of what was sent: it is too much, or files of somebody who may not send them."""
        with use_language(visit.language), saying_instead(IN_BROWSER):
            known, back = self._with_user(visit), _page_of(visit)
            if entrance is None or not entrance.files or status != _STATUS_OF_FILES:
                return said(
                    known, translated("Too much was sent."), *_limit(entrance), status=status, back=back
                )
            if known.user is not None:
                return _refusal(known, known.user.role, entrance.role)
            title = translated("This file cannot be taken now.")
            why = translated("Your session has ended, or the store cannot be reached. Nothing was changed.")
            return said(known, title, why, status=_STATUS_OF_BUSY, back=back)

    def _in_words(self, visit: Visit, method: str, handle: Handler, keeps: bool) -> Response:
        """Answer in the visitor's language; say what went wrong where it did."""
        with use_language(visit.language), saying_instead(IN_BROWSER):
            if method == "POST" and not self.guard.is_ours(visit.session, visit.sent("csrf")):
                if keeps:
                    return keep_typed(visit, self.guard.user_of(visit.session))
                return said(
                    self._with_user(visit),
                    translated("This form is too old, or not of this page."),
                    translated("Nothing was changed. Go back, load the page again, and send it once more."),
                    status=403,
                )
            try:
                self._require_store()
                return handle(visit)
            except StayworthError as error:
                return _said_of(self._with_user(visit), error)
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


def _said_of(visit: Visit, error: StayworthError) -> Response:
    """Return the page of what went wrong, in words, with the way back."""
    if isinstance(error, NotThere):
        back = "/campaigns" if visit.url.path.startswith("/campaigns") else ""
        return said(visit, translated("There is no such page."), str(error), status=404, back=back)
    title, status = translated("That cannot be done."), 400
    if isinstance(error, StoreError):
        busy = isinstance(error, StoreBusy)
        title = (
            translated("The store is busy for a moment.") if busy else translated("The store cannot do that.")
        )
        return said(visit, title, str(error), status=_STATUS_OF_BUSY)
    if isinstance(error, ConfirmedMeanwhile):
        title, status = translated("It is confirmed already."), _STATUS_OF_CHANGED
    elif isinstance(error, ChangedMeanwhile):
        title, status = translated("Somebody was faster."), _STATUS_OF_CHANGED
    return said(visit, title, str(error), status=status, back=_page_of(visit))


_FORMS_OF = {"models": "/models", "customers": "/customers", "segments": "/customers"}
"""The page that has the forms whose addresses begin so."""


def _page_of(visit: Visit) -> str:
    """Return the address of the page that a form was of: of its campaign, where it was of one."""
    number, path = visit.path.get("number", ""), visit.url.path
    if number and path.startswith(f"/campaigns/{number}/"):
        return f"/campaigns/{number}"
    return _FORMS_OF.get(path.split("/")[1], "")


def _limit(entrance: Entrance | None) -> tuple[str, ...]:
    if entrance is None or not entrance.files:
        return ()
    sentence = translated(
        "A file may have up to {n} MB. Send the rows that are needed, or have whoever runs the workbench give it the "
        "log.",
        n=LARGEST_UPLOAD >> 20,
    )
    return (sentence,)


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
        raise HTTPException(_STATUS_OF_FILES)
    return await request.form()


def _refusal(visit: Visit, has: str, needed: str) -> Response:
    sentence = translated(
        "It takes the role {needed}, and you have {has}. An administrator can change that.",
        needed=needed,
        has=has,
    )
    return said(visit, translated("This page is not for you."), sentence, status=403)


def _its_page(visit: Visit) -> Response:
    parts = visit.url.path.split("/")
    return go_to("/".join(parts[:3] if parts[1] == "campaigns" else parts[:2]))
