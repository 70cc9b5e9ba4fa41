"""The model card: whole, alone, true to its run, and deaf to what a log tells a browser to do."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import astuple, replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from features.language import use_language, written
from features.log.transactions import TransactionLog
from training.clv.later_purchases import LaterPurchases, Line
from training.clv.operational_time import IntensityForm
from training.judging.race import MODEL
from training.report.card import model_card
from training.report.card_checks import checks
from training.report.formats import money, number
from training.report.recipe_words import frequency_in_words
from training.report.season_ahead import season_ahead
from training.run import TrainingRun

SVG = "http://www.w3.org/2000/svg"
HOSTILE = "<script>alert('$x_1$')</script>&\""


@pytest.fixture(scope="module")
def page(cdnow_run: TrainingRun, cdnow_log: TransactionLog) -> str:
    return model_card(cdnow_run, cdnow_log)


@pytest.fixture(scope="module")
def document(page: str) -> ElementTree.Element:
    """The page read as XML, which fails on any tag that is not closed and any text that is not escaped."""
    return ElementTree.fromstring(page)


@pytest.fixture(scope="module")
def hostile_page(cdnow_run: TrainingRun, cdnow_log: TransactionLog) -> str:
    """The card of a run whose texts attack it, and whose race was won by a racer of that name."""
    report = replace(
        cdnow_log.report, quarantined={HOSTILE: 3}, examples={HOSTILE: HOSTILE}, currency=HOSTILE
    )
    race = cdnow_run.test.race.replace({"racer": {"base rate": HOSTILE}})
    race.loc[race["racer"] == HOSTILE, "log_loss"] = race["log_loss"].min() - 0.1
    base = race[race["racer"] == HOSTILE].assign(racer="base rate", log_loss=0.9)
    model = replace(cdnow_run.model, card=replace(cdnow_run.model.card, notes=(HOSTILE,)))
    run = replace(
        cdnow_run,
        test=replace(cdnow_run.test, race=pd.concat([race, base], ignore_index=True)),
        model=model,
    )
    log = copy(cdnow_log)
    vars(log)["report"] = report
    return model_card(run, log)


def _rows(document: ElementTree.Element, label: str) -> dict[str, list[str]]:
    """Return the body rows of the table in the region of that label: cells by the row's name."""
    region = next(each for each in document.iter("div") if each.get("aria-label") == label)
    found = {}
    for row in region.findall(".//tbody/tr"):
        name, *cells = ("".join(cell.itertext()).strip() for cell in row)
        found[name] = cells
    return found


def test_every_section_is_there_and_every_link_leads_to_one(document: ElementTree.Element) -> None:
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    links = {element.get("href", "") for element in document.iter("a")}

    sections = {"definition", "log", "race", "probabilities", "money", "purchases", "inside", "limits"}
    assert sections <= set(ids)
    assert links == {f"#{name}" for name in sections}
    assert len(ids) == len(set(ids))


def test_every_picture_is_there_and_is_told_in_words(document: ElementTree.Element) -> None:
    pictures = {svg.get("aria-labelledby", ""): svg for svg in document.iter(f"{{{SVG}}}svg")}

    expected = (
        "timeline calibration calibration-recent gain gain-recent gain-spend profit deciles tracking alive"
    )
    assert set(pictures) >= {f"{name}-title" for name in f"{expected} value topics".split()}
    for label, svg in pictures.items():
        title = svg[0]
        assert svg.get("role") == "img"
        assert title.get("id") == label
        assert len(title.text or "") > 20


def test_the_page_stands_alone(page: str, document: ElementTree.Element) -> None:
    addresses = {
        value
        for element in document.iter()
        for name, value in element.attrib.items()
        if name.rpartition("}")[2] in {"href", "src", "action", "poster", "srcset"}
    }

    assert {address[:11] for address in addresses if not address.startswith("#")} <= {"data:image/"}
    assert not {"script", "link", "iframe", "object", "base"} & {each.tag for each in document.iter()}
    assert "://" not in page.replace(f'xmlns="{SVG}"', "")
    assert re.findall(r"@import|url\((?!#)", page) == []
    assert len(page.encode()) < 1_500_000


def test_the_race_on_the_card_is_the_race_of_the_run(
    document: ElementTree.Element, cdnow_run: TrainingRun
) -> None:
    rows = _rows(document, "Race")

    race = cdnow_run.test.race.set_index(["racer", "customers_slice"])
    names = [name.removesuffix(" (deployed)") for name in rows]
    assert names == list(cdnow_run.test.race["racer"].unique())
    for name, cells in zip(names, rows.values(), strict=True):
        shown = [re.sub("^(winner|tie) ", "", cell) for cell in cells]
        everyone, recent = race.loc[(name, "all")], race.loc[(name, "recent")]
        assert shown == [
            number(part[column], form)
            for part in (everyone, recent)
            for column, form in (
                ("log_loss", ".4f"),
                ("auc", ".4f"),
                ("calibration_error", ".4f"),
                ("calibration_in_the_large", "+.4f"),
            )
        ]
    assert rows[f"{MODEL} (deployed)"][0].startswith("winner ")


def test_the_deciles_add_up_to_the_spend_of_the_test_window(
    document: ElementTree.Element, cdnow_run: TrainingRun
) -> None:
    rows = _rows(document, "Deciles")
    totals = {name: sum(float(cell.replace(",", "")) for cell in cells) for name, cells in rows.items()}

    test = cdnow_run.test
    assert totals["Customers"] == len(test.labelled.table)
    assert totals["Expected"] == pytest.approx(test.expected_spend.sum(), abs=5)  # ten cells to the unit
    assert totals["Actual"] == pytest.approx(test.labelled.outcomes["spend"].sum(), abs=5)


def test_the_card_says_what_the_log_was_and_what_the_models_are(
    page: str, document: ElementTree.Element, cdnow_run: TrainingRun, cdnow_log: TransactionLog
) -> None:
    parameters, spend = _rows(document, "Parameters"), _rows(document, "Value models")
    model = cdnow_run.newest.clv.purchases

    assert _rows(document, "Rows of the log") == {
        "In the log": ["69,659"],
        "Used": ["69,659"],
        "Quarantined": ["0"],
    }
    assert parameters["BG/NBD r"][0] == number(astuple(model)[0], ",.4f")
    assert parameters["BG/NBD alpha"][0] == number(astuple(model)[1], ",.4f")
    ours = cdnow_run.test.spend.set_index("racer").loc[MODEL]
    assert spend[f"{MODEL} (deployed)"][:2] == [money(ours["mae"]), number(ours["ratio"], ".3f")]
    assert cdnow_log.report.fingerprint in page
    assert "1 April 1998 to 29 June 1998; 86.0% churned" in page
    tiers = _rows(document, "Tiers")
    assert [int(row[0].replace(",", "")) for row in tiers.values()] == [
        int((cdnow_run.scores["value_tier"] == name).sum()) for name in tiers
    ]


def test_what_season_trend_and_steps_scored_is_shown_and_the_winner_marked(
    cdnow_run: TrainingRun, cdnow_log: TransactionLog
) -> None:
    season = IntensityForm(1)
    seen = {"residual_none": 0.4, "intensity: constant intensity": 0.31, f"intensity: {season}": 0.3021}
    run = replace(cdnow_run, recipe=replace(cdnow_run.recipe, losses=seen, intensity=season))

    document = ElementTree.fromstring(model_card(run, cdnow_log))

    assert _rows(document, "Season, trend and steps") == {
        "constant intensity": ["0.3100", "0.0000"],
        "season (1 harmonic) chosen": ["0.3021", "-0.0079"],
    }
    assert _rows(document, "Candidates") == {"churn: p0 alone": ["0.4000"]}


def test_a_log_too_short_for_a_season_or_a_trend_says_so(
    cdnow_run: TrainingRun, cdnow_log: TransactionLog
) -> None:
    run = replace(cdnow_run, recipe=replace(cdnow_run.recipe, losses={"residual_none": 0.4}))

    page = model_card(run, cdnow_log)

    assert "The log is too short for any: all customers&#39; purchase rates are taken as constant." in page


def test_a_test_in_another_season_is_said_on_the_card(
    document: ElementTree.Element, cdnow_run: TrainingRun
) -> None:
    text = " ".join("".join(document.itertext()).split())

    assert season_ahead(cdnow_run) in text


def test_text_from_the_log_stays_text(hostile_page: str) -> None:
    document = ElementTree.fromstring(hostile_page)

    assert "<script" not in hostile_page
    assert "script" not in {element.tag.rpartition("}")[2] for element in document.iter()}
    assert f"Quarantined: {HOSTILE}" in _rows(document, "Rows of the log")
    assert HOSTILE in _rows(document, "Race")
    assert "".join(document.itertext()).count(HOSTILE) >= 4


def test_a_card_is_persian_whole_and_in_its_digits(cdnow_run: TrainingRun, cdnow_log: TransactionLog) -> None:
    with use_language("fa"):
        document = ElementTree.fromstring(model_card(cdnow_run, cdnow_log))  # notes are told again
        trained_on = written(cdnow_run.model.card.trained_at.date(), "date")

    texts = [
        (text or "").strip()
        for each in document.find("body").iter()  # type: ignore[union-attr]
        for text in ("" if each.tag == "code" or each.get("dir") == "ltr" else each.text, each.tail)
    ]
    assert (document.get("lang"), document.get("dir")) == ("fa", "rtl")
    assert len([text for text in texts if text]) > 300
    assert [text for text in texts if re.search("[a-z]{2,} [a-z]{2,}", text)] == []
    assert [text for text in texts if re.fullmatch(r"[-−+]?[0-9.,]+%?", text)] == []
    assert any(f"آموخته در {trained_on}، ساعت" in text for text in texts)


def test_how_often_buyers_buy_is_told_of_two_of_them_and_not_as_a_formula(
    cdnow_run: TrainingRun, page: str
) -> None:
    line = cdnow_run.model.spend.frequency  # type: ignore[union-attr]
    bgnbd = np.quantile(cdnow_run.newest.table["purchases_if_active"], [0.5, 0.95])
    told = 1 + np.exp(line.constant) * (bgnbd - 1) ** line.weight

    said = f"{told[0]:.1f} where BG/NBD says {bgnbd[0]:.1f}, {told[1]:.1f} where it says {bgnbd[1]:.1f}"

    assert frequency_in_words(cdnow_run).startswith(said)
    assert said in page
    assert not re.search(r"\bm\^|× m\b", page)


def test_a_race_won_by_another_is_said_in_the_headline(hostile_page: str) -> None:
    document = ElementTree.fromstring(hostile_page)
    text = " ".join("".join(document.itertext()).split())
    first_check = next(document.iter("li"))

    assert f"{HOSTILE} wins the race of 9 racers by log-loss (the simpler, on a tie)" in text
    assert "Deployed all the same: churn from BG/NBD" in text
    assert "It wins the race" not in text
    assert "".join(first_check.itertext()).startswith("▲ lookAgainst the best other model: all customers")


def test_a_check_needs_a_look_where_totals_or_averages_are_off(cdnow_run: TrainingRun) -> None:
    purchases = float(cdnow_run.test.labelled.outcomes["purchases"].sum())
    race = cdnow_run.test.race.copy()
    race.loc[race["racer"] == MODEL, "calibration_in_the_large"] = [0.031, float("nan")]
    run = replace(cdnow_run, test=replace(cdnow_run.test, race=race))

    found = {check.name: check for check in checks(run, 1.2 * purchases)}

    assert not found["Expected purchases ÷ those that came, in total"].holds
    assert found["Expected purchases ÷ those that came, in total"].value == "1.20"
    assert not found["On average: all customers"].holds
    assert not found["On average: recent customers"].holds  # not measurable is not good
    assert found["On average: recent customers"].value == "–"
    assert found["Against the best other model: all customers"].holds


def test_what_is_tested_and_what_is_supposed_of_values_is_as_the_version_has_it(
    cdnow_run: TrainingRun, cdnow_log: TransactionLog, page: str
) -> None:
    spend = replace(cdnow_run.model.spend, later=LaterPurchases(silent=Line(1.0, -0.7)))  # type: ignore[type-var]
    terms = replace(cdnow_run.model.terms, resumption=0.25)
    learnt = model_card(
        replace(cdnow_run, model=replace(cdnow_run.model, spend=spend, terms=terms)), cdnow_log
    )
    habits = "beyond the window it rests on BG/NBD&#39;s assumption that habits stay."
    corrected = (
        "beyond the window it rests on BG/NBD, corrected by what came where a value horizon has closed."
    )

    assert habits in page and corrected not in page  # CDNOW is too short for a value horizon to have closed
    assert corrected in learnt and habits not in learnt
    assert "and who had left at 50% of their old rate&#39;s value (the resumption)" in page
    assert "and who had left at 25% of their old rate&#39;s value (the resumption)" in learnt
    assert "goes on as before; no past offer" not in page


def test_what_a_perfect_order_would_have_is_told_in_persian_too(
    cdnow_run: TrainingRun, cdnow_log: TransactionLog
) -> None:
    with use_language("fa"):
        page = model_card(cdnow_run, cdnow_log)

    assert "در دهک نخست؛ بهترین ترتیب ممکن" in page
    assert "کامل است" not in page
