"""Figures inside a page: their texts are escaped, their ids their own, their lines thinned."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
from matplotlib.figure import Figure

from training.report.svg import inline_svg


def _figure() -> Figure:
    figure = Figure(figsize=(3, 2))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], marker="o")
    axes.set_clip_on(True)
    return figure


def test_two_pictures_of_one_page_share_no_id_and_refer_to_their_own() -> None:
    pictures = {
        name: ElementTree.fromstring(inline_svg(_figure(), name, "A line")) for name in ("one", "two")
    }

    ids = {name: {e.get("id") for e in picture.iter() if e.get("id")} for name, picture in pictures.items()}
    assert not ids["one"] & ids["two"]
    for name, picture in pictures.items():
        text = ElementTree.tostring(picture, encoding="unicode")
        targets = {element.get("href", "")[1:] for element in picture.iter() if element.get("href")}
        targets |= {part.split(")")[0] for part in text.split("url(#")[1:]}
        assert targets
        assert targets <= ids[name]


def test_labels_and_descriptions_are_escaped() -> None:
    figure = _figure()
    figure.axes[0].set_xlabel("<b>a & b</b>")

    markup = inline_svg(figure, "hostile", "</title><script>")

    assert "<b>" not in markup and "<script>" not in markup
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in markup
    assert "</title><script>" in "".join(ElementTree.fromstring(markup).itertext())


def test_the_same_figure_gives_the_same_text() -> None:
    assert inline_svg(_figure(), "same", "A line") == inline_svg(_figure(), "same", "A line")


def test_a_curve_of_many_customers_takes_little_room() -> None:
    figure = Figure()
    figure.add_subplot().plot(np.linspace(0, 1, 50_000) ** 0.3)

    assert len(inline_svg(figure, "long", "A long curve")) < 30_000
