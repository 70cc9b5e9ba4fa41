"""Stages of the ladder against a plain loop over customers, and the moves between them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.customer_groups import STAGES
from features.economics.base import customer_base
from features.economics.dated_segments import StageSegments, TierSegments
from features.economics.facts import Facts
from features.economics.group_section import group_section
from features.economics.inputs import Inputs
from features.economics.leads import Leads
from features.economics.migration import migration
from features.economics.people import ScoredCustomers
from features.economics.periods import Periods
from features.economics.referrals import Referrals
from features.economics.segments import FirstPurchaseSegments, Segments
from features.economics.stages import (
    StageInputs,
    create_stages,
    share_of_wallet,
    stages_of_features,
    usual_gap,
)
from features.economics.surveys import Surveys
from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.columns import as_columns
from features.table.history import PurchaseHistory

FIRST, INACTIVITY = date(2015, 1, 10), 60


def random_orders(seed: int, rows: int = 140) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    amounts = draw.integers(-400, 3_000, rows)
    amounts[0] = 100
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:02}" for number in draw.integers(0, 14, rows)],
            "ordered_at": [FIRST + timedelta(days=int(day)) for day in draw.integers(0, 400, rows)],
            "amount": amounts / 100,
            "channel": draw.choice(["web", "shop"], rows),
        }
    )


def inputs(folder: Path) -> StageInputs:
    """Referrals and answers of customers, on days within the log."""
    (folder / "referrals.csv").write_text(
        "referrer_id,referred_id,referred_at\nc01,c02,2015-02-01\nc03,c04,2015-01-20\nc01,c05,2015-03-01\n"
        "c06,nobody,2015-02-01\n"
    )
    (folder / "surveys.csv").write_text(
        "customer_id,answered_at,kind,score\nc01,2015-04-01,nps,3\nc01,2015-08-01,nps,9\nc03,2015-06-01,csat,1\n"
    )
    return StageInputs(
        Referrals.read(folder / "referrals.csv"),
        Surveys.read(folder / "surveys.csv"),
        {"c07": 0.6, "c08": 0.5, "c09": 0.51},
    )


def facts_of(log: TransactionLog, segments: Segments | None = None, length: str = "month") -> Facts:
    periods = Periods(log.first_day, log.last_day, length)  # type: ignore[arg-type]
    return Facts(log, periods, INACTIVITY, segments=segments)


def stages_at(facts: Facts, given: StageInputs | None = None) -> pd.DataFrame:
    create_stages(facts.engine, facts.periods, facts.inactivity_days, given)
    found = facts.query(
        "SELECT customer_id, boundary, stage FROM stages JOIN customers ON customers.customer = stages.customer"
    )
    return found.assign(stage=[STAGES[place] for place in found["stage"]])


def oracle(log: TransactionLog, moment: date, with_files: bool) -> dict[str, str]:
    """The stage of everybody who has bought before a moment, by the definitions."""
    rows = log.table.to_pandas()
    rows = rows[(rows["amount_cents"] >= 0) & (rows["ordered_on"] < moment)]
    bought = {customer: sorted(set(days)) for customer, days in rows.groupby("customer_id")["ordered_on"]}
    gaps = sorted(
        (later - day).days for days in bought.values() for day, later in zip(days, days[1:], strict=False)
    )
    usual = next((gap for n, gap in enumerate(gaps, 1) if n >= 0.8 * len(gaps)), 10**6)
    referrals = [
        ("c01", "c02", date(2015, 2, 1)),
        ("c03", "c04", date(2015, 1, 20)),
        ("c01", "c05", date(2015, 3, 1)),
    ]
    advocates = {who for who, whom, on in referrals if with_files and on < moment and whom in bought}
    if date(2015, 4, 1) < moment <= date(2015, 8, 1):
        advocates -= {"c01"}
    found = {}
    for customer, days in bought.items():
        silence = (moment - days[-1]).days
        own = [(later - day).days for day, later in zip(days, days[1:], strict=False)]
        longest = max(np.mean(own) + 2 * np.std(own, ddof=1), max(own)) if len(own) > 1 else usual
        if silence > INACTIVITY:
            found[customer] = "lapsed"
        elif silence > longest:
            found[customer] = "lapsing"
        elif customer in advocates:
            found[customer] = "advocate"
        elif sum((moment - day).days <= 365 for day in days) >= 4:
            found[customer] = "loyal"
        elif with_files and customer in ("c07", "c09"):
            found[customer] = "majority"
        else:
            found[customer] = "repeat" if len(days) > 1 else "first-time"
    return found


@pytest.mark.parametrize("seed", range(4))
def test_stages_are_those_of_a_loop_over_customers_at_every_boundary(seed: int, tmp_path: Path) -> None:
    log = validate(random_orders(seed))

    with facts_of(log) as facts:
        found = stages_at(facts, inputs(tmp_path))

        seen = set()
        for boundary, day in enumerate(facts.periods.boundaries):
            expected = oracle(log, date(1970, 1, 1) + timedelta(days=int(day)), with_files=True)
            here = found[found["boundary"] == boundary].set_index("customer_id")["stage"].to_dict()
            assert here == {who: stage for who, stage in expected.items() if stage != "lapsed"}
            seen |= set(expected.values())
    assert seen == set(STAGES)


def test_a_feature_table_tells_the_stages_of_the_log(tmp_path: Path) -> None:
    log = validate(random_orders(5))
    end = log.last_day + timedelta(days=1)
    with PurchaseHistory(log) as history:
        columns = as_columns(history.features(Snapshot(end)))
        usual = usual_gap(*history.gaps(Snapshot(end)))

    found = stages_of_features(columns, INACTIVITY, usual)

    assert dict(zip(columns["customer_id"], found, strict=True)) == oracle(log, end, with_files=False)


def test_what_happens_later_changes_no_stage_of_before() -> None:
    orders = random_orders(6)
    cut = date(2015, 9, 1)
    later = orders["ordered_at"] >= cut
    scrambled = orders.assign(
        customer_id=orders["customer_id"].where(~later, orders["customer_id"].to_numpy()[::-1]),
        amount=orders["amount"].where(~later, -orders["amount"]),
    )

    found = []
    for each in (orders, scrambled):
        with facts_of(validate(each)) as facts:
            stages_at(facts)
            moves = migration(facts)
            closed = [period.end <= cut for period in facts.periods]
            found.append(moves[np.asarray(closed)[moves["period"]]].reset_index(drop=True))

    pd.testing.assert_frame_equal(*found)
    assert len(found[0]) > 50


@pytest.mark.parametrize("length", ["week", "month", "quarter", "year"])
@pytest.mark.parametrize("segmented", ["", "first_channel", "stage"])
def test_moves_add_up_to_the_customer_base(length: str, segmented: str) -> None:
    log = validate(random_orders(7))
    segments: Segments | None = FirstPurchaseSegments(segmented) if segmented else None
    if segmented == "stage":
        segments = StageSegments(INACTIVITY, StageInputs())

    with facts_of(log, segments, length) as facts:
        stages_at(facts)
        moves, base = migration(facts), customer_base(facts)
        sums = facts.by_segment(
            "SELECT {segment} AS segment, facts.period AS period, "
            "CAST(sum(gross_cents - refund_cents) AS BIGINT) AS net_cents, "
            "count(*) FILTER (WHERE purchase_days > 0) AS buyers FROM customer_periods AS facts{members} GROUP BY 1, 2",
            "facts.period",
        ).set_index(["segment", "period"])

    by_period = moves.groupby(["segment", "period"], sort=False)
    active = [stage for stage in STAGES if stage != "lapsed"]
    assert (by_period[active].sum().sum(axis="columns") == base["end"]).all()
    began = moves[moves["from_stage"].isin(active)].groupby(["segment", "period"], sort=False)
    assert (began["customers"].sum() == base["start"]).all()
    assert (began["lapsed"].sum() == base["lost"]).all()
    new = moves[moves["from_stage"] == "new"].set_index(["segment", "period"])
    assert (new["customers"] == base["acquired"]).all()
    assert (new["lapsed"] == base["passed_through"]).all()
    assert (moves["customers"] == moves[list(STAGES)].sum(axis="columns")).all()
    assert (moves[list(STAGES)] >= 0).all(axis=None)
    for name in ("net_cents", "buyers"):
        assert (by_period[name].sum().loc[sums.index] == sums[name]).all()
    # Where one period ends the next begins; customers may be in another stage, and so in another segment, then.
    everybody = by_period[list(STAGES)].sum()
    for stage in active:
        starts = moves[moves["from_stage"] == stage].set_index(["segment", "period"])["customers"]
        for segment in ["all"] if segmented == "stage" else facts.groups:
            assert starts[segment].tolist()[1:] == everybody.loc[segment][stage].tolist()[:-1]
        if segmented == "stage" and stage in facts.groups:
            assert base["start"][stage].tolist() == starts["all"].tolist()


def sums_to_everybody(facts: Facts) -> bool:
    """Whether the segments of each period add up to all customers, and each to its end."""
    base = customer_base(facts)
    names = ["start", "new", "returned", "lost", "end", "acquired", "passed_through", "total_base_at_start"]
    parts = base.loc[facts.segments, names].groupby(level="period").sum()
    adds_up = base["start"] + base["new"] + base["returned"] - base["lost"] == base["end"]
    return bool(adds_up.all()) and parts.equals(base.loc["all", names])


@pytest.mark.parametrize("length", ["week", "month", "quarter", "year"])
def test_every_period_is_told_apart_by_the_stages_of_its_start(length: str) -> None:
    log = validate(random_orders(8))

    with facts_of(log, StageSegments(INACTIVITY, StageInputs()), length) as facts:
        base = customer_base(facts)
        whole = sums_to_everybody(facts)
        marks = facts.provisional(dated=True).reshape(len(facts.groups), -1)
        hindsight = facts.provisional().reshape(len(facts.groups), -1)

    assert whole
    for number, period in enumerate(facts.periods):
        stages = pd.Series(oracle(log, period.start, with_files=False)).value_counts()
        started = base["total_base_at_start"].xs(number, level="period")
        assert {name: started[name] for name in STAGES if started.get(name)} == stages.to_dict()
    assert (base["acquired"]["new"] == base["acquired"]["all"]).all()
    assert (marks == marks[0]).all()  # nothing is seen in hindsight
    assert hindsight[1:].sum() >= marks[1:].sum()


def test_tiers_are_those_of_the_last_list_known_at_a_periods_start() -> None:
    log = validate(random_orders(8))
    first = ScoredCustomers({}, None, {"c00": "vip", "c01": "low"}, date(2015, 5, 10), None, [])
    second = ScoredCustomers({}, None, {"c00": "low", "c02": "vip"}, date(2015, 9, 1), None, [])

    with facts_of(log, TierSegments([second, first])) as facts:
        sold = facts.by_segment(
            "SELECT {segment} AS segment, facts.period AS period, facts.customer AS customer "
            "FROM customer_periods AS facts{members} GROUP BY ALL",
            "facts.period",
        )
        names = facts.query("SELECT customer, customer_id, first_day FROM customers").set_index("customer")
        whole = sums_to_everybody(facts)
        marks = facts.provisional(dated=True).reshape(len(facts.groups), -1)[1]

    assert whole
    assert facts.segments == ["vip", "low", "new", "unknown"]
    for _, row in sold[sold["segment"] != "all"].iterrows():
        start = facts.periods.all[row["period"]].start
        known, who = second if start >= date(2015, 9, 1) else first, names.loc[row["customer"]]
        bought_before = date(1970, 1, 1) + timedelta(days=int(who["first_day"])) < start
        assert row["segment"] == (known.tiers.get(who["customer_id"], "unknown") if bought_before else "new")
    # The first list is of May: until June nobody knew the tiers.
    assert marks.tolist()[:6] == [True] * 5 + [False]


def test_lists_of_one_day_tell_no_tiers_of_periods() -> None:
    lists = [ScoredCustomers({}, None, {"c00": "vip"}, day, None, []) for day in [date(2015, 5, 10)] * 2]

    with pytest.raises(StayworthError, match=r"no two of one day: those given are of 2015-05-10, 2015-05-10"):
        TierSegments(lists)


def test_for_the_whole_log_stages_are_those_at_the_start_of_the_last_closed_period() -> None:
    log = validate(random_orders(8))

    with facts_of(log, StageSegments(INACTIVITY, StageInputs())) as facts:
        number = int(np.count_nonzero(~facts.periods.open)) - 1
        members = (
            facts.query(
                "SELECT customer_id, segment FROM membership JOIN customers ON customers.customer = membership.customer"
            )
            .set_index("customer_id")["segment"]
            .to_dict()
        )
        start = facts.periods.all[number].start
        marks = facts.provisional().reshape(len(facts.groups), -1)

    expected = oracle(log, start, with_files=False)
    assert {who: stage for who, stage in members.items() if stage not in ("new", "unknown")} == expected
    assert marks[1:, :number].all()
    assert not marks[:, number].any()


def test_leads_are_prospects_if_they_are_qualified_until_they_are_customers(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text(
        "lead_id,created_at,qualified,customer_id,converted_at\n1,2015-01-12,yes,,2015-03-05\n2,2015-01-12,yes,,\n"
        "3,2015-02-03,,,\n4,2015-02-03,no,ann,\n"
    )
    orders = [("ann", "2015-03-31"), ("bob", "2015-01-10"), ("bob", "2015-04-30")]
    raw = pd.DataFrame(orders, columns=["customer_id", "ordered_at"]).assign(amount=10.0)

    with facts_of(validate(raw)) as facts:
        section = group_section(facts, Inputs(leads=Leads.read(tmp_path / "leads.csv")))

    stages = section.tables[0].rows
    # January: 1 and 2. February: 3 and 4 too. In March 1 is converted and ann, lead 4, buys.
    assert stages["prospects"].tolist() == [2, 2, 1, 1]
    assert stages["suspects"].tolist() == [0, 2, 1, 1]


@pytest.mark.parametrize(
    ("here", "everywhere", "share"),
    [(1, 5, 0.2), (3, 5, 0.6), (5, 5, 1.0), (50_000, 500_000, 0.1), (200_000, 2_000_000, 0.1)],
)
def test_share_of_wallet(here: float, everywhere: float, share: float) -> None:
    assert share_of_wallet(here, everywhere) == share


def test_nobody_spends_more_here_than_everywhere() -> None:
    # 200,000 here beside 1,800,000 elsewhere: what is spent in all counts, this firm included.
    with pytest.raises(StayworthError, match="this firm included"):
        share_of_wallet(2_000_000, 1_800_000)


def test_the_section_tells_tiers_stages_and_moves_and_leaves_empty_what_takes_a_file(tmp_path: Path) -> None:
    log = validate(random_orders(9))
    given = inputs(tmp_path)
    tiers = {"c00": "vip", "c01": "medium", "c02": "medium", "nobody": "low"}
    potential = {"c00": 1_000, "c01": 500, "c02": -300}

    with facts_of(log) as facts:
        bare = group_section(facts, Inputs())
        full = group_section(
            facts,
            Inputs(
                referrals=given.referrals,
                surveys=given.surveys,
                wallets=given.wallets,
                tiers=tiers,
                potential=potential,
            ),
        )

    assert [table.name for table in bare.tables] == ["stages", "migration"]
    assert bare.tables[0].rows[["advocate", "majority"]].isna().all(axis=None)
    assert len(bare.missing) == 4
    tiered, stages, moves = (table.rows for table in full.tables)
    assert tiered["tier"].tolist() == ["vip", "medium"]
    assert tiered["potential_total"].tolist() == [10.0, 2.0]
    assert tiered["customers"].tolist() == [1, 2]
    assert tiered["potential_share"].tolist() == pytest.approx([10 / 12, 2 / 12])
    columns = ["lapsed", "lapsing", "first_time", "repeat", "majority", "loyal", "advocate"]
    assert (tiered[columns].sum(axis="columns") == tiered["customers"]).all()
    since = log.last_day + timedelta(days=1 - 365)
    rows = log.table.to_pandas()
    year = rows[(rows["ordered_on"] >= since) & (rows["customer_id"] == "c00")]["amount_cents"].sum()
    assert tiered["year_revenue"].iloc[0] == pytest.approx(year / 100)
    assert (moves[columns].sum(axis="columns") == moves["customers"]).all()
    last = moves[moves["period"] == moves["period"].iloc[-1]]
    assert last[columns].sum().tolist() == stages[columns].iloc[-1].tolist()
    assert full.missing == bare.missing[3:]
