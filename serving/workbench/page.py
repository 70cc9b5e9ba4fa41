"""Pages from templates, in the visitor's language; styles are one file, and one page has a script, for its sliders.

The styles are those of the report's page and, after them, the workbench's own.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.language import (
    current_language,
    short_day,
    text_direction,
    translated,
    translated_in,
    written,
)
from serving.workbench.visit import Visit

SEE_OTHER = 303


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page, in the chosen language (`features.language`)."""
    rendered = (
        _environment()
        .get_template(template)
        .render(
            language=current_language(),
            direction=text_direction(),
            stylesheet=stylesheet_path(),
            visit=visit,
            **values,
        )
    )
    return HTMLResponse(rendered, status)


def part(template: str, **values: Any) -> str:
    """Return a part of a page, in the chosen language."""
    return _environment().get_template(template).render(**values)


def said(visit: Visit, title: str, *sentences: str, status: int, back: str = "", **headers: str) -> Response:
    """Return a page that says something, such as what is wrong, and leads back."""
    response = page(visit, "said.html", status=status, title=title, sentences=sentences, back=back)
    response.headers.update(headers)
    return response


def go_to(path: str) -> Response:
    """Send the browser to a page, after a form."""
    return RedirectResponse(path, SEE_OTHER)


@cache
def stylesheet() -> str:
    """Return the styles of all pages."""
    report = (files("serving.report") / "templates" / "page.css").read_text(encoding="utf-8")
    return report + (files("serving.workbench") / "templates" / "workbench.css").read_text(encoding="utf-8")


@cache
def stylesheet_path() -> str:
    """Return the path of the styles, another one for other styles, so that a browser may keep them."""
    return f"/styles-{hashlib.sha256(stylesheet().encode()).hexdigest()[:16]}.css"


@cache
def script() -> str:
    """Return the one script that there is: of the sliders."""
    return (files("serving.workbench") / "templates" / "sliders.js").read_text(encoding="utf-8")


@cache
def script_path() -> str:
    """Return the path of the script, another one for another script."""
    return f"/sliders-{hashlib.sha256(script().encode()).hexdigest()[:16]}.js"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("serving.workbench"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(translated=translated, translated_in=translated_in)
    environment.filters.update(written=written, day=short_day)
    return environment
