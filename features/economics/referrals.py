"""Referrals: customers whom customers brought, from ``referrals.csv (referrer_id, referred_id, referred_at, reward)``.

Of several referrers the first counts. What the referred have brought, less rewards, stands beside what their referrers
have; it is in no total, because every customer is counted once already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa

from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.errors import StayworthError
from features.language import translated
from features.log.amounts import cents
from features.log.findings import Finding
from features.log.identity import examples
from features.log.settings import LogRules

# A sum is known if all of its parts are.
_VALUES = """,
    CASE WHEN count({theirs}.cents) = count({customer}) THEN CAST(coalesce(sum({theirs}.cents), 0) AS BIGINT) END
      AS {name}"""

_REFERRERS = """WITH brought AS (
  SELECT customer, CAST(sum(margin_cents) AS BIGINT) AS cents FROM customer_periods GROUP BY customer
),
facts AS (
  SELECT referrer.customer AS customer, count(referred.customer) AS referred,
    CAST(sum(coalesce(theirs.cents, 0)) AS BIGINT) AS referred_cents,
    CAST(sum(reward_cents) AS BIGINT) AS reward_cents<of_referred>
  FROM referrals
  JOIN customers AS referrer ON referrer.customer_id = referrals.referrer_id
  LEFT JOIN customers AS referred ON referred.customer_id = referrals.referred_id AND referred.first_day IS NOT NULL
  LEFT JOIN brought AS theirs ON theirs.customer = referred.customer<their_lifetimes>
  GROUP BY 1
)
SELECT {segment} AS segment, count(*) AS referrers, CAST(sum(referred) AS BIGINT) AS referred,
  CAST(sum(coalesce(own.cents, 0)) AS BIGINT) AS own_cents, CAST(sum(referred_cents) AS BIGINT) AS referred_cents,
  CAST(sum(reward_cents) AS BIGINT) AS reward_cents<of_referrers>
FROM facts
LEFT JOIN brought AS own ON own.customer = facts.customer<own_lifetimes>{members}
GROUP BY 1"""


@dataclass(frozen=True)
class Referrals:
    """Who brought whom, one row for each referred customer.

    Attributes
    ----------
    table : pyarrow.Table
        referrer_id, referred_id, referred_on (days since 1970-01-01), reward_cents
    later : int, rows that name another referrer of somebody who had one already
    findings : tuple of Finding
    """

    table: pa.Table
    later: int = 0
    findings: tuple[Finding, ...] = ()

    @classmethod
    def read(
        cls, path: str | Path, rules: LogRules = PLAIN_RULES, aliases: dict[str, str] | None = None
    ) -> Self:
        """Read referrals; a reward is 0 if there is none.

        Raises
        ------
        StayworthError
            If the file cannot be read, or customers referred each other in a circle.
        """
        file = OptionalFile(path, ["referrer_id", "referred_id", "referred_at"], rules)
        rows = pd.DataFrame(
            {
                name: [(aliases or {}).get(each, each) for each in file.ids(name)]
                for name in ("referrer_id", "referred_id")
            }
        )
        rewards = cents(np.nan_to_num(file.numbers("reward", missing=True))) if file.has("reward") else 0
        rows["referred_on"] = file.days("referred_at")
        rows["reward_cents"] = rewards
        first = rows.sort_values(["referred_on", "referrer_id"]).drop_duplicates("referred_id")
        require_no_circle(zip(first["referred_id"], first["referrer_id"], strict=True), file.name)
        types = {
            "referrer_id": pa.string(),
            "referred_id": pa.string(),
            "referred_on": pa.int32(),
            "reward_cents": pa.int64(),
        }
        kept = pa.Table.from_pandas(first[list(types)], schema=pa.schema(types), preserve_index=False)
        return cls(kept, len(rows) - len(first), tuple(file.findings))


def require_no_circle(referrers: Iterable[tuple[str, str]], name: str) -> None:
    """Raise a StayworthError if following referrers leads back to where it began.

    Examples
    --------
    >>> require_no_circle([("b", "a"), ("c", "b"), ("a", "c")], "referrals.csv")
    Traceback (most recent call last):
    features.errors.StayworthError: referrals.csv: 'a', 'b', 'c' referred each other in a circle. Take out one of these
    rows.
    """
    referrer_of = dict(referrers)
    clear: set[str] = set()
    for start in referrer_of:
        path: dict[str, None] = {}
        each: str | None = start
        while each is not None and each not in clear:
            if each in path:
                circle = list(path)[list(path).index(each) :]
                raise StayworthError(
                    translated(
                        "{name}: {customers} referred each other in a circle. Take out one of these rows.",
                        name=name,
                        customers=examples(sorted(circle)),
                    )
                )
            path[each] = None
            each = referrer_of.get(each)
        clear.update(path)


_LIFETIMES = {
    "of_referred": _VALUES.format(theirs="lives", customer="referred.customer", name="lives_cents"),
    "their_lifetimes": "\n  LEFT JOIN lifetimes AS lives ON lives.customer = referred.customer",
    "of_referrers": _VALUES.format(theirs="life", customer="facts.customer", name="own_lifetime_cents")
    + """,
  CASE WHEN count(lives_cents) = count(*) THEN CAST(sum(lives_cents) AS BIGINT) END AS referred_lifetime_cents""",
    "own_lifetimes": "\nLEFT JOIN lifetimes AS life ON life.customer = facts.customer",
}


def referral_results(
    facts: Facts, referrals: Referrals, unit: MoneyUnit, *, lifetimes: bool = False
) -> pd.DataFrame:
    """Return what referrers of each segment have brought, and beside it those whom they referred.

    Parameters
    ----------
    facts : Facts
    referrals : Referrals
    unit : MoneyUnit
    lifetimes : bool
        Whether there is a table ``lifetimes`` (`features.economics.lifetime.create_lifetimes`), for their values.

    Returns
    -------
    DataFrame, a row for each segment with referrers in the log
        segment, referrers, referred (who bought); own_margin, referred_margin, rewards and with_referred in money per
        referrer, empty without margins; with lifetimes own_lifetime_value, referred_lifetime_value and
        lifetime_with_referred too, empty where a part is not known
    """
    facts.engine.register("referrals", referrals.table)
    sql = _REFERRERS
    for name, part in _LIFETIMES.items():
        sql = sql.replace(f"<{name}>", part if lifetimes else "")
    found = facts.by_segment(sql)
    order = {name: place for place, name in enumerate(facts.groups)}
    found = found.sort_values("segment", key=lambda own: own.map(order), ignore_index=True)
    people = found["referrers"].astype(float)
    known = 1.0 if facts.has_margins else np.nan
    own, referred, rewards = (found[f"{name}_cents"] / people for name in ("own", "referred", "reward"))
    values = {}
    if lifetimes:
        ours, theirs = (
            found[f"{name}_lifetime_cents"].astype(float) / people * known for name in ("own", "referred")
        )
        values = {
            "own_lifetime_value": unit.shown(ours),
            "referred_lifetime_value": unit.shown(theirs),
            "lifetime_with_referred": unit.shown(ours + theirs - rewards),
        }
    return pd.DataFrame(
        {
            "segment": found["segment"],
            "referrers": found["referrers"],
            "referred": found["referred"],
            "own_margin": unit.shown(own * known),
            "referred_margin": unit.shown(referred * known),
            "rewards": unit.shown(rewards),
            "with_referred": unit.shown((own + referred - rewards) * known),
            **values,
        }
    )
