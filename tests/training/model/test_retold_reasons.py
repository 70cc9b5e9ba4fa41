"""A reason that was kept in one language reads in the other as if it had been worded in it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from features.language import translation, use_language
from training.model.phrases import Phrase
from training.model.reasons import read_topics, texts_of_topics
from training.model.retold_reasons import retold_reason

AMOUNTS = (0.0, 1.0, 2.0, 13.0, 13.9, 180.0, 181.9, 1095.9, 1096.0, 12_345.678)
SHARES = (0.0, 0.1, 0.285, 1.0)


def worded(text: str, frame: str, values: tuple[float, float]) -> str:
    """Word a topic's text in the chosen language, its numbers the one value and the other by turns."""
    phrase = Phrase(translation(frame).replace("{reason}", translation(text)))
    columns = {name: np.array([values[place % 2]]) for place, name in enumerate(sorted(phrase.numbers))}
    return str(phrase.fill(columns, np.array([0]))[0])


@pytest.mark.parametrize(("kept_in", "read_in"), [("en", "fa"), ("fa", "en")])
def test_every_reason_is_told_in_the_readers_language(kept_in: str, read_in: str) -> None:
    data = read_topics()
    frames = {data["raises"], data["lowers"]}

    for text in set(texts_of_topics()) - frames:
        numbers = SHARES if "%}" in text else AMOUNTS
        for values in product(numbers, numbers):
            frame = "{reason}" if text == data["costs"] else data["raises"]
            with use_language(kept_in):
                kept = worded(text, frame, values)
            with use_language(read_in):
                assert retold_reason(kept) == worded(text, frame, values), kept


@pytest.mark.parametrize("text", ["", "our own words", "city: Yazd (risk up", "{n:order|orders} (risk?)"])
def test_what_was_worded_elsewhere_stays(text: str) -> None:
    with use_language("fa"):
        assert retold_reason(text) == text


def test_the_name_and_value_of_an_own_column_stay() -> None:
    with use_language("fa"):
        told = retold_reason("city: Yazd (risk up)")

    assert told == "city: Yazd (افزایش ریسک)"
