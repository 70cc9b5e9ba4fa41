"""Surveys: what customers answer, from ``surveys.csv (customer_id, answered_at, kind, score, sent_at, about)``.

The net promoter score (``nps``, answers 0 to 10) is the percentage of 9 and 10 less that of 0 to 6; satisfaction
(``csat``, 1 to 5) is the mean, and the share of 4 and 5. A customer's last answer of a period counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.customer_groups import STAGES
from features.economics.facts import Facts
from features.economics.group_definitions import STAGE_COLUMNS
from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.language import translatable, translated
from features.log.findings import Finding
from features.log.identity import read_ids
from features.log.settings import LogRules

SCALES = {"nps": (0, 10), "csat": (1, 5)}
FIRM = "firm"
FEW_ANSWERS = 30
ANSWER_DAYS = 30
"""Days after the sending within which an answer counts as a response."""

# Of several answers of one day the lowest is taken: their order is not known.
_ANSWERS = """WITH placed AS (
  SELECT customers.customer AS customer, calendar.period AS period, kind, about, score,
    row_number() OVER (
      PARTITION BY customers.customer, calendar.period, kind, about ORDER BY answered DESC, score
    ) AS place
  FROM surveys
  JOIN customers ON customers.customer_id = surveys.customer_id
  JOIN calendar ON calendar.day = surveys.answered
  WHERE answered IS NOT NULL
)
SELECT {segment} AS segment, facts.period AS period, kind, about, count(*) AS answers,
  count(*) FILTER (WHERE score >= 9) AS promoters, count(*) FILTER (WHERE score <= 6) AS detractors,
  CAST(sum(score) AS BIGINT) AS total, count(*) FILTER (WHERE score >= 4) AS satisfied
FROM placed AS facts{members}
WHERE place = 1 AND facts.period < <periods>
GROUP BY 1, 2, 3, 4"""

_SENT = f"""WITH facts AS (
  SELECT customers.customer AS customer, calendar.period AS period, kind, about,
    CASE WHEN answered - sent BETWEEN 0 AND {ANSWER_DAYS} THEN 1 ELSE 0 END AS responded
  FROM surveys
  JOIN customers ON customers.customer_id = surveys.customer_id
  JOIN calendar ON calendar.day = surveys.sent
)
SELECT {{segment}} AS segment, facts.period AS period, kind, about, count(*) AS sent,
  CAST(sum(responded) AS BIGINT) AS responded
FROM facts{{members}}
WHERE facts.period < <periods>
GROUP BY 1, 2, 3, 4"""


_YEAR_DAYS = 365

# Of several answers of one day the lowest counts, as above.
_ATTITUDES = """SELECT
  CASE WHEN score >= 9 THEN 'promoters' WHEN score >= 7 THEN 'passives' ELSE 'detractors' END AS attitude,
  coalesce(stages.stage, 0) AS stage, count(*) AS customers
FROM (
  SELECT customers.customer AS customer, score,
    row_number() OVER (PARTITION BY customers.customer ORDER BY answered DESC, score) AS place
  FROM surveys
  JOIN customers ON customers.customer_id = surveys.customer_id
  WHERE kind = 'nps' AND answered >= {since} AND answered < {until} AND customers.first_day IS NOT NULL
) AS answers
LEFT JOIN stages ON stages.customer = answers.customer AND stages.boundary = {boundary}
WHERE place = 1
GROUP BY 1, 2"""


@dataclass(frozen=True)
class Surveys:
    """Surveys that were sent and answered.

    Attributes
    ----------
    table : pyarrow.Table
        customer_id, kind, about, answered and sent (days since 1970-01-01 or null), score (int or null)
    findings : tuple of Finding
    """

    table: pa.Table
    findings: tuple[Finding, ...] = ()

    @classmethod
    def read(
        cls, path: str | Path, rules: LogRules = PLAIN_RULES, aliases: dict[str, str] | None = None
    ) -> Self:
        """Read surveys; without ``sent_at`` there is no response rate, without ``about`` they are about the firm.

        Raises
        ------
        StayworthError
            If the file cannot be read, a kind is not known, or a score lies outside its scale.
        """
        file = OptionalFile(path, ["customer_id", "answered_at", "kind", "score"], rules)
        kinds = np.array([(kind or "").strip().lower() for kind in file.texts("kind")], dtype=object)
        file.refuse(
            ~np.isin(kinds, list(SCALES)), translatable("have a kind that is neither nps nor csat"), "kind"
        )
        answered = file.optional_days("answered_at")
        open_ones = answered.is_null().to_numpy(zero_copy_only=False)
        scores = file.numbers("score", missing=True)
        low, high = (np.array([SCALES[kind][end] for kind in kinds], dtype=float) for end in (0, 1))
        wrong = ~open_ones & ~((scores >= low) & (scores <= high) & (scores == np.round(scores)))
        file.refuse(
            wrong,
            translatable("have a score outside the scale: 0 to 10 for nps, 1 to 5 for csat"),
            "kind",
            "score",
        )
        ids = read_ids(file.table["customer_id"], rules.fold_ids).to_pylist()
        about = file.texts("about") if file.has("about") else [None] * len(file)
        none = pa.nulls(len(file), pa.int32())
        return cls(
            pa.table(
                {
                    "customer_id": pa.array([(aliases or {}).get(each, each) for each in ids], pa.string()),
                    "kind": pa.array(kinds, pa.string()),
                    "about": pa.array([each or FIRM for each in about], pa.string()),
                    "answered": answered,
                    "sent": file.optional_days("sent_at") if file.has("sent_at") else none,
                    "score": pa.array(np.nan_to_num(scores).astype(np.int64), mask=open_ones),
                }
            ),
            (*file.findings, *_of_another_scale(file.name, scores[~open_ones & (kinds == "nps")])),
        )


def _of_another_scale(name: str, scores: npt.NDArray[np.float64]) -> Iterator[Finding]:
    """Look for answers to nps that are of a scale of 1 to 5: of many customers some give more."""
    if len(scores) >= FEW_ANSWERS and scores.max() <= SCALES["csat"][1]:
        yield Finding(
            "another-scale",
            translated(
                "{file}: none of {n:answer|answers} to nps is above {most:,}: were they given on a scale of 1 to 5? "
                "All count as detractors, for nps asks from 0 to 10. Answers of 1 to 5 are of the kind csat.",
                file=name,
                n=len(scores),
                most=SCALES["csat"][1],
            ),
        )


def survey_results(facts: Facts, surveys: Surveys) -> pd.DataFrame:
    """Return scores and response rates by segment, period, kind and what the survey is about.

    Returns
    -------
    DataFrame, a row where something was answered or sent
        segment, period (number), survey, about, answers, few_answers (bool), nps (points, -100 to 100), satisfaction
        (mean of 1 to 5), satisfied_share, sent, response_rate, response_rate_provisional (bool)
    """
    facts.engine.register("surveys", surveys.table)
    keys = ["segment", "period", "kind", "about"]
    periods = str(len(facts.periods))
    answers, sent = (
        facts.by_segment(sql.replace("<periods>", periods), "facts.period") for sql in (_ANSWERS, _SENT)
    )
    found = answers.merge(sent, "outer", on=keys)
    counts = [name for name in found if name not in keys]
    found[counts] = found[counts].fillna(0)
    order = {name: place for place, name in enumerate(facts.groups)}
    found = found.assign(place=found["segment"].map(order)).sort_values(
        ["place", *keys[1:]], ignore_index=True
    )
    some = found["answers"].where(found["answers"] > 0)
    is_nps = found["kind"] == "nps"
    waiting = facts.periods.waiting(ANSWER_DAYS)
    return pd.DataFrame(
        {
            "segment": found["segment"],
            "period": found["period"].astype(int),
            "survey": found["kind"],
            "about": found["about"],
            "answers": found["answers"].astype(np.int64),
            "few_answers": found["answers"] < FEW_ANSWERS,
            "nps": (100 * (found["promoters"] - found["detractors"]) / some).where(is_nps),
            "satisfaction": (found["total"] / some).where(~is_nps),
            "satisfied_share": (found["satisfied"] / some).where(~is_nps),
            "sent": found["sent"].astype(np.int64),
            "response_rate": found["responded"] / found["sent"].where(found["sent"] > 0),
            "response_rate_provisional": waiting[found["period"].to_numpy(int)],
        }
    )


def attitudes(facts: Facts) -> pd.DataFrame:
    """Tell customers by what they say and by what they do: their last answer to NPS, and their stage at the log's end.

    After `features.economics.stages.create_stages`, which has a table of surveys of its own, and then `survey_results`.

    Returns
    -------
    DataFrame, a row for each attitude of the last year: attitude, customers, and how many are in each stage
    """
    until = int(facts.periods.boundaries[-1])
    found = facts.query(
        _ATTITUDES.format(since=until - _YEAR_DAYS, until=until, boundary=len(facts.periods))
    ).pivot_table(index="attitude", columns="stage", values="customers", aggfunc="sum")
    stages = found.reindex(columns=range(len(STAGES))).fillna(0).astype(np.int64)
    stages.columns = pd.Index(STAGE_COLUMNS.values())
    stages.insert(0, "customers", stages.sum(axis="columns"))
    return stages.reset_index().sort_values("attitude", ascending=False, ignore_index=True)


def strangers(facts: Facts) -> int:
    """Count the rows of surveys of people who are not in the log."""
    sql = """SELECT count(*) AS rows_ FROM surveys
LEFT JOIN customers ON customers.customer_id = surveys.customer_id
WHERE customers.customer IS NULL"""
    return int(facts.query(sql)["rows_"].iloc[0])
