"""The OpenAPI document as one web page, written here: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse


def documentation_page(document: Mapping[str, Any]) -> HTMLResponse:
    """Render an OpenAPI document.

    Parameters
    ----------
    document : mapping
        As from `openapi_document`.

    Returns
    -------
    HTMLResponse
        Its content security policy allows the page's own style sheet, and nothing else.
    """
    loader = PackageLoader("serving.api")
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    style = templates.get_template("documentation.css").render()
    html = templates.get_template("documentation.html").render(document=document, style=style)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    headers = {
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)
