"""One customer: scores of all lists, reasons, alerts, and what the orders say where there are orders."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pytest

from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from serving.explanation.scenario import SILENT_DAYS
from serving.scorer import Scorer
from serving.store.store import Store

Opened = Callable[..., Any]


def text_of(page: str) -> str:
    """Return what a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


def first_customer(page: str) -> str:
    found = re.search(r'<th scope="row"><a href="(/customers/[\w-]+)">', page)
    assert found
    return found[1]


def test_a_customer_has_the_scores_of_all_lists_their_reasons_and_alerts(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    store.publish(people(churn_probability=0.55, reasons=[["silent for long", "few purchases"]] * 130))
    browser = opened()

    address = first_customer(browser.seen("/customers"))
    said = text_of(browser.seen(address))

    assert "c000" not in address
    assert (
        "c000 55% likely not to buy in the 90 days from 1998-07-01 · every 3 weeks, silent for 1 day" in said
    )
    assert "Why silent for long few purchases" in said
    lists = re.findall(r"1998-07-01 published ([\d-]+ [\d:]+) UTC (\d+%) 1,300 0.50 1 ", said)
    assert [churn for _, churn in lists] == ["55%", "99%"]  # two of one day are told apart by when
    assert "80% sure between 0.50 and 0.50" in said
    assert "shown where whoever runs the workbench gives it the log" in said


def test_a_list_that_was_published_again_is_there_once(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    store.publish(people())
    store.publish(people(snapshot_date=date(1998, 8, 1)))
    browser = opened()

    said = text_of(browser.seen(first_customer(browser.seen("/customers"))))

    lists = said.partition("In the published lists")[2]
    assert (
        "1998-08-01 99% 1,300 0.50 1 1998-07-01 published 2 times 99% 1,300 0.50 1 From the 3 lists" in lists
    )


def test_reasons_and_alerts_are_told_in_the_readers_language(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    store.publish(people(reasons=[["3 orders in 90 days, 5 in the 90 before (risk up)"]] * 130))
    row = {"customer_id": "c000", "kind": "overdue", "about": "", "alert_id": "1", "offer": ""}
    days = dict.fromkeys(("since", "checked_on"), date(1998, 7, 1))
    said = {"reason": "Overdue: no purchase for 40 days.", "value_at_risk": 1.0}
    with store.alerts.changing() as change:
        change.after = [{**row, **days, **said}]
    browser = opened(language="fa")

    table = text_of(browser.seen("/customers"))
    customer = text_of(browser.seen(first_customer(browser.seen("/customers"))))

    told = "۳ سفارش در ۹۰ روز"
    assert told in table and told in customer
    assert "۴۰ روز" in customer
    assert not re.search("risk up|Overdue", table + customer)


@pytest.mark.parametrize("key", ["c000", "A" * 40, "é"])
def test_an_address_that_is_made_up_is_nobody(opened: Opened, key: str) -> None:
    answer = opened().get(f"/customers/{key}")

    assert answer.status_code == 404
    assert "no such customer" in answer.text


def test_an_erased_customer_is_nobody(opened: Opened, store: Store) -> None:
    browser = opened()
    address = first_customer(browser.seen("/customers"))

    store.erase(["c000"])

    assert browser.get(address).status_code == 404


@pytest.mark.parametrize("language", ["en", "fa"])
def test_orders_show_the_rhythm_and_what_would_change(
    opened: Opened, store: Store, log: TransactionLog, scorer: Scorer, registry_file: Path, language: str
) -> None:
    store.publish(scorer.score_log(log).scores)
    browser = opened(tracking_uri=f"sqlite:///{registry_file}", orders=log, language=language)

    page = browser.seen(first_customer(browser.seen("/customers")))

    assert page.count("<circle") >= 3
    said = text_of(page)
    if language == "en":
        assert "Buys every" in said
        assert "if they buy once more now" in said
        assert "if silent for 30 days more" in said
        as_is = re.search(r"as it is (\d+%)", said)
        assert as_is and said.startswith(
            said.partition(as_is[1])[0]
        )  # the list's own probability comes first
        assert as_is[1] == re.findall(r"\d+%", said)[0]


def test_what_raises_the_risk_comes_first_with_those_at_risk_and_last_with_the_others(
    opened: Opened, store: Store, log: TransactionLog, scorer: Scorer, registry_file: Path
) -> None:
    scores = scorer.score_log(log).scores
    store.publish(scores)
    browser = opened(tracking_uri=f"sqlite:///{registry_file}", orders=log)

    def headings(customer: str) -> list[str]:
        found = browser.send("/customers/search", wanted=customer)
        key = re.search(rf'<a href="(/customers/[\w-]+)"><bdi>{customer}</bdi>', found.text)
        assert key
        page = browser.seen(key[1])
        assert "What each input adds" in page and "(risk up)" not in page  # its title says it
        assert "NaN" not in page
        return re.findall(r"<h3>(Raises|Lowers) the risk</h3>", page)

    by_risk = scores.sort_values("churn_probability", ignore_index=True)["customer_id"]
    assert headings(by_risk.iloc[-1])[0] == "Raises"
    assert headings(by_risk.iloc[0])[0] == "Lowers"


def page_of(browser: Any, customer: str) -> str:
    """Return what the page of a customer says."""
    found = browser.send("/customers/search", wanted=customer)
    key = re.search(rf'<a href="(/customers/[\w-]+)"><bdi>{customer}</bdi>', found.text)
    assert key
    return text_of(browser.seen(key[1]))


def test_why_a_page_has_two_probabilities_is_said(
    opened: Opened, store: Store, log: TransactionLog, scorer: Scorer, registry_file: Path
) -> None:
    scores, registry = scorer.score_log(log).scores, f"sqlite:///{registry_file}"
    customer = str(scores["customer_id"][0])
    now = f"{scores['churn_probability'][0]:.0%}"

    def said(**others: object) -> str:
        store.publish(scores.assign(**others))
        return page_of(opened(tracking_uri=registry, orders=log), customer)

    same, other = said(), said(model_version="0", churn_probability=0.31)
    window = said(model_version="0", churn_probability=0.31, horizon_days=30)
    changed = said(churn_probability=0.31)

    assert "Two versions" not in same and "a churn probability of" not in same and " as it is " in same
    assert "The list, with a churn probability of 31%, is of version 0; version 1 scores now" in other
    assert f"are of it: {now}. All are of one version again once a new list is published." in other
    assert f"as it is, by version 1 {now}" in other
    assert "stayworth score --transactions orders.csv --publish" in other and "do not compare" not in other
    assert "one is of 30 days, the other one of 90 days" in window
    assert (
        f"The list has a churn probability of 31%, and the same version makes {now} of the orders" in changed
    )


def test_value_at_risk_that_goes_up_and_down_with_silence_is_explained_where_it_does(
    opened: Opened, store: Store, log: TransactionLog, scorer: Scorer, registry_file: Path
) -> None:
    scored = scorer.score_log(log)
    store.publish(scored.scores)
    browser = opened(tracking_uri=f"sqlite:///{registry_file}", orders=log)
    later = [Snapshot(scored.snapshot.date + timedelta(days=days)) for days in SILENT_DAYS]
    at_risk = [scorer.score_log(log, day).scores.set_index("customer_id")["value_at_risk"] for day in later]
    moves = pd.concat(at_risk, axis="columns").pct_change(axis="columns").iloc[:, 1:].min(axis="columns")
    falls, rises = moves.idxmin(), moves.idxmax()

    assert moves[falls] < -0.01 and moves[rises] >= 0
    sentence = "Value at risk is churn times value at stake."
    assert sentence in page_of(browser, str(falls))
    assert sentence not in page_of(browser, str(rises))


def test_a_log_that_ends_before_the_list_is_said_where_numbers_differ(
    opened: Opened, store: Store, log: TransactionLog, scorer: Scorer, registry_file: Path
) -> None:
    scores, registry = scorer.score_log(log).scores, f"sqlite:///{registry_file}"
    customer = str(scores["customer_id"][0])
    store.publish(scores.assign(churn_probability=0.31))
    day = scores["snapshot_date"][0]
    older = replace(log, table=log.table.filter(pc.less(log.table["ordered_on"], day - timedelta(days=60))))

    whole, part = (page_of(opened(tracking_uri=registry, orders=each), customer) for each in (log, older))

    assert f"The log that the workbench was given ends on {older.last_day}, and the list is of {day}:" in part
    assert "have changed since" in whole and "The log that the workbench was given ends" not in whole


def test_a_cut_table_of_orders_and_of_lists_says_so(
    opened: Opened,
    store: Store,
    log: TransactionLog,
    scorer: Scorer,
    registry_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = scorer.score_log(log).scores
    store.publish(scores)
    most = str(
        scores.sort_values("frequency" if "frequency" in scores else "expected_purchases")[
            "customer_id"
        ].iloc[-1]
    )
    browser = opened(tracking_uri=f"sqlite:///{registry_file}", orders=log)
    monkeypatch.setattr("serving.workbench.customer.SHOWN_ORDERS", 1)

    said = page_of(browser, most)

    assert re.search(r"The newest 1 of \d+ orders\.", said)
    assert "From the 2 lists that the store has kept; those before are gone." in said
