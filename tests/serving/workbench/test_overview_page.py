"""The first page says how old the list is, what is at risk, what is open, and what is due."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from serving.report.folder import PAGE
from serving.store.campaign import Drawn
from serving.store.campaign_changes import Basis
from serving.store.store import Store
from serving.store.tables import score_sets
from training.versions.mlflow_client import open_client
from training.versions.registry import Registry
from training.versions.version import CHAMPION, MODEL_NAME

Opened = Callable[..., Any]


def text_of(page: str) -> str:
    """Return what a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])).split())


def alert(number: int, kind: str) -> dict[str, object]:
    """An open alert about c000."""
    day = date(1998, 7, 1)
    row = {"customer_id": "c000", "kind": kind, "about": "", "alert_id": str(number), "since": day}
    return row | {"reason": "a reason", "value_at_risk": 1.0, "offer": "", "checked_on": day}


@pytest.fixture
def registry(registry_file: Path, tmp_path: Path) -> Registry:
    copy = tmp_path / "mlflow.db"
    shutil.copy(registry_file, copy)
    return Registry(f"sqlite:///{copy}")


def test_the_list_and_what_is_at_risk_by_kind_lead_to_the_customers(opened: Opened) -> None:
    browser = opened()
    page = browser.seen("/")

    said = text_of(page)
    assert "The list of 1998-07-01, published today, by version 1." in said
    assert "130 customers on the list 60 of them not dormant" in said
    # The 60 most valuable are not dormant: 26 vips and 34 medium, of 1300 to 710.
    assert "vip 26 30,550" in said
    assert "medium 34 29,750" in said
    assert "<strong>26 customers" in browser.seen("/customers?tier=vip")
    assert 'href="/customers?band=very+likely"' in page


def test_open_alerts_are_counted_by_kind(opened: Opened, store: Store) -> None:
    with store.alerts.changing() as change:
        change.after = [alert(1, "overdue"), alert(2, "debt")]

    said = text_of(opened().seen("/"))

    assert "2 open alerts" in said
    assert "debt 1 overdue 1" in said


def test_an_old_list_and_another_champion_are_due(opened: Opened, store: Store, registry: Registry) -> None:
    model = registry.download("1", Path(registry.uri.text.removeprefix("sqlite:///")).parent / "files")
    registry.promote(registry.log_run(model_folder=model).version)
    with store._database.write() as connection:
        old = datetime.now(UTC) - timedelta(days=9)
        connection.execute(sa.update(score_sets).values(published_at=old))

    said = text_of(opened(tracking_uri=registry.uri.text).seen("/"))

    assert "The list is 9 days old." in said
    assert "The list is of version 1, and version 2 scores now." in said
    assert "stayworth score --transactions orders.csv --publish" in said


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            "The list is of 1998-05-01, an earlier day than that of 1998-07-01, which it took the place of.",
        ),
        ("fa", "روزی پیش از فهرست ۱۰ تیر ۱۳۷۷"),
    ],
)
def test_a_list_of_an_earlier_day_than_the_one_before_it_is_due(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame], language: str, says: str
) -> None:
    store.publish(people(snapshot_date=date(1998, 5, 1)))

    said = text_of(opened(language=language).seen("/"))

    assert says in said
    assert "the list is new" not in said


@pytest.mark.parametrize(
    ("due", "sentence"),
    [
        ("no", "At 1998-07-01, the model that scores was as it was trained."),
        ("calibration", "At 1998-07-01, there was reason to train again: calibration"),
    ],
)
def test_what_monitoring_found_is_said(opened: Opened, registry: Registry, due: str, sentence: str) -> None:
    browser = opened(tracking_uri=registry.uri.text)
    before = text_of(browser.seen("/"))

    registry.annotate("1", tags={"monitored": "1998-07-01", "due": due})

    assert "Nobody has looked yet" in before
    assert sentence in text_of(opened(tracking_uri=registry.uri.text).seen("/"))


def test_without_a_list_the_page_says_how_to_publish(opened: Opened, store: Store) -> None:
    with store._database.write() as connection:
        connection.execute(sa.delete(score_sets))

    assert "stayworth score --transactions orders.csv --publish" in text_of(opened().seen("/"))


def test_the_report_is_shown_in_a_box_of_its_own(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / PAGE).write_text("<!DOCTYPE html><title>report</title>")

    answer = opened(report=tmp_path).get("/report")

    assert answer.text == "<!DOCTYPE html><title>report</title>"
    assert answer.headers["content-security-policy"].endswith("sandbox allow-scripts")
    assert opened().get("/report").status_code == 404


@pytest.mark.parametrize(
    ("language", "due", "nothing"),
    [
        (
            "en",
            "No version scores now. An administrator promotes one under “Models”",
            "There is no model that scores",
        ),
        ("fa", "اکنون نسخه‌ای امتیاز نمی‌دهد. مدیری زیر «مدل‌ها» یکی را برمی‌گزیند", "مدلی نیست که امتیاز بدهد"),
    ],
)
def test_that_no_version_scores_any_more_is_due(
    opened: Opened, registry: Registry, language: str, due: str, nothing: str
) -> None:
    before = text_of(opened(tracking_uri=registry.uri.text, language=language).seen("/"))
    with open_client(registry.uri) as client:
        client.delete_registered_model_alias(MODEL_NAME, CHAMPION)

    said = text_of(opened(tracking_uri=registry.uri.text, language=language).seen("/"))

    assert due in said and nothing in said
    assert due not in before and nothing not in before
    assert "the model that scores still fits" not in said and "of the model that scores." not in said


def test_what_publishes_a_list_stands_by_the_old_list_and_not_by_the_campaigns(
    opened: Opened, store: Store, people: Callable[..., pd.DataFrame]
) -> None:
    day = date(1998, 7, 1)
    drawn = Drawn({}, day, day, day, {}, "")
    store.campaigns.keep("spring", drawn, Basis(None), "sara")
    fresh = text_of(opened().seen("/"))
    store.publish(people(snapshot_date=date(1998, 5, 1)))

    said = text_of(opened().seen("/"))

    assert "Planned, and not sent: spring." in fresh and "--publish" not in fresh
    assert re.search(
        r"published\. At a terminal: stayworth score \S+ orders.csv --publish .*not sent: spring\.", said
    )
