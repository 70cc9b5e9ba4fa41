"""Types of the service's answers: JSON with dates as ISO text, and the joined answer to a request sent in parts.

The service documents itself by the same types (:mod:`serving.api.answers`). They import nothing that scores.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NotRequired, Self

from typing_extensions import TypedDict  # typing's own is not enough for pydantic before Python 3.12

from features.errors import StayworthError
from training.model import score_schema

if TYPE_CHECKING:
    import pandas as pd

_DATES = [column.name for column in score_schema.SCHEMA.values() if column.type is date]


_DESCRIBED = {"use_attribute_docstrings": True}
"""For pydantic: the texts below the fields are their descriptions."""


class OfferPrice(TypedDict):
    """Expected profit and cost of one offer to one customer."""

    __pydantic_config__ = _DESCRIBED  # type: ignore[misc]

    offer: str
    expected_profit: float
    """Contact only where it is above zero."""
    expected_cost: float
    break_even_probability: float | None
    """Churn probability above which it pays; null: never."""
    break_even_acceptance: float | None
    """Acceptance rate above which it pays; null: never."""
    eligible: bool
    """Whether it is for the customer's tier and stage."""


class Score(score_schema.Score[str]):
    """One customer's score: the columns of a scored list, dates as ISO text, and the prices of offers if sent."""

    offers: NotRequired[list[OfferPrice]]
    recommended_offer: NotRequired[str | None]


class Unscored(TypedDict):
    """A customer without a score, and why."""

    customer_id: str
    reason: str


Rows = TypedDict("Rows", {"in": int, "used": int, "quarantined": dict[str, int], "not_yet_visible": int})
Rows.__doc__ = """Where every transaction went: in = used + quarantined (by reason) + not_yet_visible."""


@dataclass(frozen=True)
class Source:
    """The model version and snapshot of an answer, or of a part of it; dates and times are ISO text.

    Parameters
    ----------
    model_version, snapshot_date : str
    published_at : str or None
        Of scores that were looked up.
    """

    model_version: str
    snapshot_date: str
    published_at: str | None = None


@dataclass(frozen=True)
class Answer:
    """Scores, and the model and data that they come from.

    Parameters
    ----------
    scores : list of Score
    sources : tuple of Source
        One, unless the model or the published set changed between the parts of a large request. Each score
        has its ``model_version`` and ``snapshot_date`` too.
    """

    scores: list[Score]
    sources: tuple[Source, ...]

    @property
    def source(self) -> Source:
        """The model version and snapshot of all scores.

        Raises
        ------
        StayworthError
            If there are several: then the scores are not to be compared with each other.
        """
        if len(self.sources) != 1:
            found = ", ".join(f"{s.model_version} of {s.snapshot_date}" for s in self.sources)
            raise StayworthError(
                f"The model or the published scores changed between the parts of this answer: {found}. "
                "Ask again for one set, or take each score's own model_version."
            )
        return self.sources[0]


@dataclass(frozen=True)
class ScoreAnswer(Answer):
    """Every customer sent: scored, most value at risk first and the dormant last, or with the reason why not.

    Parameters
    ----------
    notes : tuple of str
        What to know about the scores, such as fields that the model learnt from and the request lacks.
    """

    unscored: list[Unscored]
    rows: Rows
    notes: tuple[str, ...] = ()

    @classmethod
    def joined(cls, parts: Sequence[Mapping[str, Any]]) -> Self:
        """Join the answers to the parts of a request."""
        scores = [score for part in parts for score in part["scores"]]
        if len(parts) > 1:
            scores.sort(key=lambda score: (_dormant(score), -score["value_at_risk"], score["customer_id"]))
        unscored = [customer for part in parts for customer in part["unscored"]]
        notes = dict.fromkeys(note for part in parts for note in part.get("notes", ()))
        return cls(scores, _sources(parts), unscored, _total(part["rows"] for part in parts), tuple(notes))

    def frame(self) -> "pd.DataFrame":
        """Return one row per customer: the fields of a score, and ``unscored``, the reason why one has none."""
        import pandas as pd

        table = pd.DataFrame([*self.scores, *self.unscored]).rename(columns={"reason": "unscored"})
        dates = {name: pd.to_datetime(table[name]) for name in _DATES if name in table}
        return table.assign(**{"unscored": table.get("unscored"), **dates})


@dataclass(frozen=True)
class LookupAnswer(Answer):
    """Published scores in the order asked, each customer once, and the ids that have none."""

    unknown: list[str]

    @classmethod
    def joined(cls, parts: Sequence[Mapping[str, Any]]) -> Self:
        """Join the answers to the parts of a request."""
        scores = [score for part in parts for score in part["scores"]]
        return cls(scores, _sources(parts), [name for part in parts for name in part["unknown"]])


def _dormant(score: Mapping[str, Any]) -> bool:
    """Tell whether a customer is dormant; nobody is where an earlier release does not say after how long."""
    last, days = score.get("last_purchase_date"), score.get("dormant_after_days")
    if not last or days is None:
        return False
    return bool((date.fromisoformat(score["snapshot_date"]) - date.fromisoformat(last)).days > days)


def _sources(parts: Sequence[Mapping[str, Any]]) -> tuple[Source, ...]:
    return tuple(
        dict.fromkeys(
            Source(part["model_version"], part["snapshot_date"], part.get("published_at")) for part in parts
        )
    )


def _total(parts: Iterable[Rows]) -> Rows:
    """Add up where the transactions of all parts went."""
    rows_in = used = not_yet_visible = 0
    quarantined: Counter[str] = Counter()
    for part in parts:
        rows_in, used = rows_in + part["in"], used + part["used"]
        not_yet_visible += part["not_yet_visible"]
        quarantined.update(part["quarantined"])
    return {
        "in": rows_in,
        "used": used,
        "quarantined": dict(quarantined),
        "not_yet_visible": not_yet_visible,
    }
