"""Figures as SVG that stands inside a page: text stays text, nothing is loaded from elsewhere."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from features.language import in_digits

TYPEFACE = "DejaVu Sans"
"""Measured with, never shown: a page's own is put in its place."""

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"[-−+]?[\d.,]+%?")
_SETTINGS = {
    "font.family": ["sans-serif"],
    "font.sans-serif": [TYPEFACE],
    "path.simplify_threshold": 1.0,  # a curve of 20,000 customers needs a few hundred points
    "svg.fonttype": "none",
}


def inline_svg(figure: Figure, name: str, description: str) -> Markup:
    """Render a figure as an ``<svg>`` element that takes the width of its page's column.

    Parameters
    ----------
    figure : Figure
    name : str, a word
        Ids inside the picture begin with it, so that no two pictures of a page share one.
    description : str
        What a reader who cannot see the picture is told.

    Returns
    -------
    Markup
        Safe to put in a page: texts are escaped; no script, no metadata, no address outside the page.

    Examples
    --------
    >>> print(inline_svg(Figure(figsize=(1, 1)), "empty", "Less < more").split("<defs>")[0])
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72" role="img" aria-labelledby="empty-title">
     <title id="empty-title">Less &lt; more</title>
    """
    file = io.StringIO()
    with matplotlib.rc_context(_SETTINGS | {"svg.hashsalt": name}):  # type: ignore[arg-type]
        figure.savefig(file, format="svg", transparent=True)
    root = ElementTree.fromstring(file.getvalue())
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    for element in root.iter():
        _make_local(element, name)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-labelledby": f"{name}-title"}
    title = ElementTree.Element(f"{{{_SVG}}}title", {"id": f"{name}-title"})
    title.text = description
    root.insert(0, title)
    ElementTree.register_namespace("", _SVG)
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _make_local(element: ElementTree.Element, name: str) -> None:
    """Prefix ids and what refers to them; leave the typeface to the page; write numbers in the chosen language."""
    attributes = element.attrib
    if element.text and _NUMBER.fullmatch(element.text):
        element.text = in_digits(element.text)
    if "id" in attributes:
        attributes["id"] = f"{name}-{attributes['id']}"
    if _HREF in attributes:
        target = attributes.pop(_HREF)
        attributes["href"] = f"#{name}-{target[1:]}" if target.startswith("#") else target
    for key in ("clip-path", "style"):
        if key in attributes:
            value = attributes[key].replace("url(#", f"url(#{name}-")
            attributes[key] = re.sub(rf"'{TYPEFACE}'(, sans-serif)?", "var(--type)", value)
