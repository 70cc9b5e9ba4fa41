"""What was typed into a form whose session has ended meanwhile: it comes back after signing in.

It goes through the visitor's own browser, in the page that asks for the password, and is kept nowhere else.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from serving.store.users import User
from serving.workbench.signing_in import sign_in_page, typed_page
from serving.workbench.visit import Visit

_NOT_AGAIN = ("csrf",)


def is_own_form(request: Request) -> bool:
    """Tell whether a form is of a page of ours, by what the browser says: what others send is not kept."""
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")


def keep_typed(visit: Visit, user: User | None) -> Response:
    """Ask to sign in, or where nobody has to, to send it again; the page holds what was typed."""
    pairs = [(name, value) for name, value in visit.form.multi_items() if isinstance(value, str)]
    typed = json.dumps([pair for pair in pairs if pair[0] not in _NOT_AGAIN], ensure_ascii=False)
    if user is not None:
        return typed_page(visit, visit.url.path, typed)
    return sign_in_page(visit, status=403, typed=typed, to=visit.url.path)
