"""Surveys and leads by hand, and what is wrong with them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.economics.acquisition import Spend
from features.economics.facts import Facts
from features.economics.leads import Leads, lead_results
from features.economics.money import MoneyUnit
from features.economics.periods import Periods
from features.economics.surveys import Surveys, strangers, survey_results
from features.errors import StayworthError
from features.log.validation import validate


@pytest.fixture
def facts() -> Facts:
    rows = [
        ("ann", "2015-01-10", 10),
        ("bob", "2015-01-31", 5),
        ("cid", "2015-02-20", 30),
        ("ann", "2015-03-31", 8),
    ]
    log = validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))
    return Facts(log, Periods(date(2015, 1, 10), date(2015, 3, 31)), 30)


def written(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text)
    return path


def test_the_last_answer_of_a_customer_in_a_period_counts(facts, tmp_path):
    surveys = Surveys.read(
        written(
            tmp_path,
            "customer_id,answered_at,kind,score,sent_at,about\n"
            "ann,2015-02-01,nps,2,2015-01-31,\n"
            "ann,2015-02-10,NPS,10,2015-02-09,\n"  # the last of February
            "bob,2015-02-03,nps,6,2015-02-01,\n"
            "cid,2015-02-28,nps,8,2015-02-01,\n"
            "bob,,nps,,2015-02-27,\n"  # not answered
            "ann,2015-02-10,csat,4,,product\nann,2015-02-10,csat,3,,product\n"  # of one day the lower
            "cid,2015-02-11,csat,5,,product\n"
            "zoe,2015-02-11,nps,10,,\n",
        )
    )

    table = survey_results(facts, surveys).set_index(["survey", "about", "period"])

    # promoters ann of three, detractors bob
    february = table.loc[("nps", "firm", 1)]
    assert (february["answers"], february["nps"]) == (3, 0)
    assert february["few_answers"]
    assert (february["sent"], february["response_rate"]) == (4, 3 / 4)
    assert not february["response_rate_provisional"]  # 28 February + 30 days is 30 March
    assert table.loc[("nps", "firm", 0), ["answers", "sent", "response_rate"]].tolist() == [0, 1, 1]
    product = table.loc[("csat", "product", 1)]
    assert (product["answers"], product["satisfaction"], product["satisfied_share"]) == (2, 4, 0.5)
    assert np.isnan(product["nps"])
    assert strangers(facts) == 1


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("ann,2015-02-01,nps,11", "outside the scale.*'nps', '11'"),
        ("ann,2015-02-01,csat,0", "outside the scale"),
        ("ann,2015-02-01,nps,", "outside the scale"),
        ("ann,2015-02-01,ces,3", "neither nps nor csat"),
        ("ann,2015-02-30,nps,3", "no date in answered_at"),
    ],
)
def test_a_survey_that_cannot_be_is_refused(tmp_path, row, says):
    with pytest.raises(StayworthError, match=says):
        Surveys.read(written(tmp_path, f"customer_id,answered_at,kind,score\n{row}\n"))


@pytest.mark.parametrize(("best", "answers", "warned"), [(5, 30, True), (6, 30, False), (5, 29, False)])
def test_answers_to_nps_of_a_scale_of_five_are_said(tmp_path, best, answers, warned):
    scores = [1 + number % 5 for number in range(answers - 1)] + [best]
    rows = "".join(f"c{n},2015-02-01,nps,{score}\n" for n, score in enumerate(scores))
    rows += "".join(f"c{n},2015-02-01,csat,5\n" for n in range(30))

    findings = Surveys.read(written(tmp_path, f"customer_id,answered_at,kind,score\n{rows}")).findings

    sentence = "file.csv: none of 30 answers to nps is above 5: were they given on a scale of 1 to 5?"
    assert [each.message.startswith(sentence) for each in findings] == [True] * warned


def test_leads_are_converted_by_their_date_or_by_the_first_purchase(facts, tmp_path):
    leads = Leads.read(
        written(
            tmp_path,
            "lead_id,created_at,channel,qualified,customer_id,converted_at\n"
            "1,2015-01-02,web,yes,ann,\n"  # ann's first purchase, eight days later
            "2,2015-01-02,web,no,,\n"
            "3,2015-01-05,fair,,cid,\n"  # 46 days: later than the window of 30
            "4,2015-02-01,web,1,new,2015-02-03\n",
        )
    )
    days = np.array([(date(2015, 1, 1) - date(1970, 1, 1)).days])
    spend = Spend(("web",), days, days + 31, np.array([1_000]))

    table = lead_results(facts, leads, spend, MoneyUnit()).set_index(["channel", "period"])

    assert table.loc[("all", 0), ["leads", "qualified", "converted"]].tolist() == [3, 1, 1]
    assert table.loc[("web", 0), ["leads", "converted", "cost_per_lead"]].tolist() == [2, 1, 5]
    assert table.loc[("fair", 0), "conversion_rate"] == 0
    assert table.loc[("web", 1), "converted"] == 1
    assert table["conversion_rate_provisional"].tolist() == [False] * 4 + [False]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("1,2015-01-02,,\n1,2015-01-03,,\n", "repeat a lead"),
        ("1,2015-01-02,2015-01-01,\n", "converted before they were created"),
        ("1,2015-01-02,,maybe\n", "neither yes nor no"),
    ],
)
def test_a_lead_that_cannot_be_is_refused(tmp_path, rows, says):
    with pytest.raises(StayworthError, match=says):
        Leads.read(written(tmp_path, "lead_id,created_at,converted_at,qualified\n" + rows))
