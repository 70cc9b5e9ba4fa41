"""What is said where a request is refused, in words, with the way back to the page that it came from."""

from __future__ import annotations

from starlette.responses import Response

from features.errors import (
    ChangedMeanwhile,
    ConfirmedMeanwhile,
    NotThere,
    StayworthError,
    StoreBusy,
    StoreError,
)
from features.language import translated
from serving.workbench.entrances import Entrance
from serving.workbench.page import said
from serving.workbench.signing_in import sign_in_page
from serving.workbench.uploads import LARGEST_UPLOAD
from serving.workbench.visit import Visit

FILES_UNREAD = 415
"""Status of files from somebody who may not send them, which are not read."""

_BUSY, _CHANGED = 503, 409


def said_of(visit: Visit, error: StayworthError) -> Response:
    """Return the page of what went wrong, in words, with the way back."""
    if isinstance(error, NotThere):
        kind = visit.url.path.split("/")[1]
        back = _FORMS_OF.get(kind, "/campaigns" if kind == "campaigns" else "")
        return said(visit, translated("There is no such page."), str(error), status=404, back=back)
    title, status = translated("That cannot be done."), 400
    if isinstance(error, StoreError):
        busy = isinstance(error, StoreBusy)
        title = (
            translated("The store is busy for a moment.") if busy else translated("The store cannot do that.")
        )
        return said(visit, title, str(error), status=_BUSY)
    if isinstance(error, ConfirmedMeanwhile):
        title, status = translated("It is confirmed already."), _CHANGED
    elif isinstance(error, ChangedMeanwhile):
        title, status = translated("Somebody was faster."), _CHANGED
    return said(visit, title, str(error), status=status, back=_page_of(visit))


_FORMS_OF = {"models": "/models", "customers": "/customers", "segments": "/customers"}
"""The page that has the forms whose addresses begin so."""


def _page_of(visit: Visit) -> str:
    """Return the address of the page that a form was of: of its campaign, where it was of one."""
    number, path = visit.path.get("number", ""), visit.url.path
    if number and path.startswith(f"/campaigns/{number}/"):
        return f"/campaigns/{number}"
    return _FORMS_OF.get(path.split("/")[1], "")


def not_ours(visit: Visit) -> Response:
    """Say that a form is not of the session: it has ended, or somebody else has made the form."""
    if visit.user is None and (back := _page_of(visit)):
        ended = translated("Your session has ended. Nothing was changed: sign in, and do it again.")
        return sign_in_page(visit, ended, 403, to=back)
    return said(
        visit,
        translated("This form is too old, or not of this page."),
        translated("Nothing was changed. Go back, load the page again, and send it once more."),
        status=403,
    )


def refusal(visit: Visit, has: str, needed: str) -> Response:
    """Say that a page takes another role."""
    sentence = translated(
        "It takes the role {needed}, and you have {has}. An administrator can change that.",
        needed=needed,
        has=has,
    )
    return said(visit, translated("This page is not for you."), sentence, status=403)


def unread(visit: Visit, entrance: Entrance | None, status: int) -> Response:
    """Say why nothing was read of what was sent: it is too much, or files of somebody who may not send them."""
    back = _page_of(visit)
    if entrance is None or not entrance.files or status != FILES_UNREAD:
        return said(visit, translated("Too much was sent."), *_limit(entrance), status=status, back=back)
    if visit.user is None:
        ended = translated("Your session has ended. The file was not read: sign in, and send it again.")
        return sign_in_page(visit, ended, 403, to=back)
    if not visit.user.may(entrance.role):
        return refusal(visit, visit.user.role, entrance.role)
    title = translated("The store could not be reached for a moment.")
    return said(visit, title, translated("The file was not read: send it again."), status=_BUSY, back=back)


def _limit(entrance: Entrance | None) -> tuple[str, ...]:
    if entrance is None or not entrance.files:
        return ()
    sentence = translated(
        "A file may have up to {n} MB. Send the rows that are needed, or have whoever runs the workbench give it the "
        "log.",
        n=LARGEST_UPLOAD >> 20,
    )
    return (sentence,)
