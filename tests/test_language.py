"""Every sentence that people read has a translation, with the same placeholders.

``python tests/test_language.py`` writes each catalogue of ``features/language`` again: what the code says now, by
its English text, with the translations that there are; it names those that are missing.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from features.behaviour.catalogue import FEATURES as BEHAVIOUR_FEATURES
from features.economics.catalogue import INDICATORS
from features.errors import StayworthError
from features.language import (
    LANGUAGES,
    current_language,
    placeholders,
    text_direction,
    translated,
    translated_in,
    translation,
    use_language,
    written,
)
from features.table.baskets import FEATURES as BASKET_FEATURES
from features.table.history import FEATURES
from serving.explanation.log_odds import other_contributions
from serving.report.workbook import DEFINITIONS, JALALI
from training.model.reasons import names_of_topics, texts_of_topics

ROOT = Path(__file__).resolve().parents[1]
TRANSLATED = [language for language in LANGUAGES if language != "en"]
PACKAGES = ("features", "training", "serving")
KEYWORDS = {"translated": None, "translatable": None, "translated_in": ((1, "c"), 2)}
HEADER = """# The sentences of stayworth in {language}. Written again by: python tests/test_language.py
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


@cache
def said() -> frozenset[tuple[str, str]]:
    """Return the context and the English text of every sentence of the code, the templates and the catalogue."""
    return frozenset(_said())


def _said() -> Iterator[tuple[str, str]]:
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    for package in PACKAGES:
        found = extract_from_dir(ROOT / package, methods, keywords=KEYWORDS)
        yield from ((context or "", str(text)) for _, _, text, _, context in found)
    yield from (("", text) for text in texts_of_topics())
    yield from (("topic", name) for name in names_of_topics())
    meanings = [feature.meaning for feature in (*FEATURES, *BEHAVIOUR_FEATURES, *BASKET_FEATURES)]
    meanings += [words["meaning"] for words in other_contributions().values()]
    yield from (("", text) for text in meanings)
    for each in (*INDICATORS.values(), *DEFINITIONS, JALALI):
        yield "column", each.wording
        yield from (("", text) for text in (each.meaning, each.formula) if text)
        yield from (("value", each.said.get(word, word)) for word in each.words)
        yield "unit", each.unit


def path_of(language: str) -> Path:
    return ROOT / "features" / "language" / f"{language}.po"


def read(language: str) -> dict[tuple[str, str], Message]:
    with path_of(language).open("rb") as file:
        return {
            (each.context or "", str(each.id)): each for each in read_po(file, locale=language) if each.id
        }


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in placeholders(text) if name}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language: str) -> None:
    translations = read(language)

    untranslated = {key for key in said() if key not in translations or not translations[key].string}

    assert untranslated == set()


def test_no_sentence_stands_where_it_is_not_looked_for() -> None:
    """Babel does not look into f-strings."""
    known = {text for _, text in said()}
    calls = (
        (path, node)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KEYWORDS
    )

    unseen = [
        f"{path.relative_to(ROOT)}: {text.value!r}"
        for path, node in calls
        for text in node.args[:2]
        if isinstance(text, ast.Constant) and text is node.args[-1] and text.value not in known
    ]

    assert unseen == []


READ_BY_MACHINES = (
    "features/datasets",
    "serving/api",
    "serving/champion",
    "serving/client",
    "serving/store/migrations",
    "serving/status.py",
    "serving/workbench/server.py",
    "serving/workbench/uploads.py",
    "training/experiments",
    "training/versions/trial.py",
)
"""Of what programs call, and of commands that have no language."""
READ_BY_PROGRAMMERS = (
    "features/economics/star_schema.py",
    "features/language/",
    "training/report/advice_plot.py",
)
PLAIN_ERRORS = {
    "AssertionError",
    "AttributeError",
    "KeyError",
    "NotImplementedError",
    "RuntimeError",
    "TypeError",
}
PLAIN_ERRORS |= {"ValueError"}


def untranslatable(path: Path) -> Iterator[str]:
    """Yield the errors of a module, and the sentences that it yields, that are English whatever the language."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        texts: list[ast.expr | None] = [node.value] if isinstance(node, ast.Yield) else []
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            texts = [] if ast.unparse(node.exc.func) in PLAIN_ERRORS else list(node.exc.args)
        for text in texts:
            sentence = ast.unparse(text) if isinstance(text, ast.Constant | ast.JoinedStr) else ""
            if re.search("[a-z] [a-z]", re.sub(r"{.*?}", "", sentence)):
                yield f"{path.relative_to(ROOT)}: {sentence}"


def test_what_people_read_of_errors_and_notes_can_be_translated() -> None:
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    others = (*READ_BY_MACHINES, *READ_BY_PROGRAMMERS)
    modules = [path for path in modules if not str(path.relative_to(ROOT)).startswith(others)]

    found = [each for path in modules for each in untranslatable(path)]

    assert len(modules) > 300
    assert found == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_no_sentence_that_nothing_says(language: str) -> None:
    assert read(language).keys() - said() == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_of_its_sentence(language: str) -> None:
    different = {
        text: each.string
        for (_, text), each in read(language).items()
        if "{" in text and names(text) != names(str(each.string))
    }

    assert different == {}


def test_a_count_stands_before_its_noun_in_the_right_number() -> None:
    plural = re.compile(
        r"(?<!of )(?<!of its )(?<!All )\{\w+:,\} (?:[a-z]+ )?(?:customers|rows|orders|days|targets|campaigns|ids)\b"
        r"(?! or more)"
    )

    assert [text for _, text in said() if plural.search(text)] == []


def test_a_sentence_is_english_unless_a_language_is_chosen_and_again_after_it() -> None:
    with use_language("fa"):
        inside = (current_language(), text_direction(), translated("Indicators"))

    assert inside == ("fa", "rtl", "شاخص‌ها")
    assert (current_language(), text_direction(), translated("Indicators")) == ("en", "ltr", "Indicators")


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(StayworthError, match="no language 'tlh'; there are en, fa"), use_language("tlh"):
        pass


@pytest.mark.parametrize(
    ("value", "shape", "english", "persian"),
    [
        (1234567, ",", "1,234,567", "۱٬۲۳۴٬۵۶۷"),
        (-1234.5, ",.2f", "-1,234.50", "\u200e−۱٬۲۳۴٫۵۰\u200f"),
        (-0.004, ",.2f", "0.00", "۰٫۰۰"),
        (-0.0, "+,.2f", "0.00", "۰٫۰۰"),
        (-0.0004, "+.1%", "0.0%", "۰٫۰٪"),
        (-0.006, ",.2f", "-0.01", "\u200e−۰٫۰۱\u200f"),
        (1, "+g", "+1", "\u200e+۱\u200f"),
        (0.1234, ".1%", "12.3%", "۱۲٫۳٪"),
        (1, "order|orders", "1 order", "۱ order"),
        (1200, "order|orders", "1,200 orders", "۱٬۲۰۰ orders"),
        (13, "span", "13 days", "۱۳ روز"),
        (400, "span", "13 months", "۱۳ ماه"),
        ("1994-02", "label", "1994-02", "۱۹۹۴/۰۲"),
        ("1994-Q2", "label", "1994-Q2", "۱۹۹۴، فصل ۲"),
        (date(2015, 4, 25), "date", "2015-04-25", "۵ اردیبهشت ۱۳۹۴ (۲۵ آوریل ۲۰۱۵)"),
        ("churn_rate", "", "churn_rate", "\u2068churn_rate\u2069"),
        ("تهران", "", "تهران", "تهران"),
    ],
)
def test_values_are_written_as_the_language_writes_them(
    value: object, shape: str, english: str, persian: str
) -> None:
    assert written(value, shape) == english
    with use_language("fa"):
        assert written(value, shape) == persian


def test_the_dashes_of_a_flag_stand_before_it_in_a_text_from_right_to_left() -> None:
    with use_language("fa"):
        sentences = [translation(text, context) for context, text in said()]

    flags = [text for text in sentences if re.search(r"(?<![\w-])--[a-z]", text)]
    assert len(flags) > 100
    assert [text for text in flags if re.search(r"(?<![\w\u200e-])--[a-z]", text)] == []


def test_a_date_in_the_meaning_of_an_input_is_written_in_the_languages_own_digits() -> None:
    with use_language("fa"):
        meanings = [translated(each.meaning) for each in (*FEATURES, *BEHAVIOUR_FEATURES, *BASKET_FEATURES)]

    assert any("۱۹۷۰" in each for each in meanings)
    assert [each for each in meanings if re.search(r"[0-9]{4}-[0-9]{2}", each)] == []


def test_a_word_with_two_meanings_is_told_apart_by_its_context() -> None:
    with use_language("fa"):
        assert translated_in("column", "from") == "از"


def update(language: str) -> list[str]:
    """Write a catalogue again; return the sentences that it does not translate."""
    known = read(language) if path_of(language).exists() else {}
    catalogue = Catalog(locale=language)
    for context, text in sorted(set(said())):
        string = known[context, text].string if (context, text) in known else ""
        catalogue.add(text, string, context=context or None).flags.clear()  # % is no placeholder here
    with path_of(language).open("wb") as file:
        file.write(HEADER.format(language=language).encode())
        write_po(file, catalogue, width=110, omit_header=True, no_location=True)
    return [text for (_, text), each in read(language).items() if not each.string]


if __name__ == "__main__":
    left = [f"{language}: {text}" for language in TRANSLATED for text in update(language)]
    print("\n".join(left))
    sys.exit(bool(left))
