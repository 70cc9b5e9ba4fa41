"""Versions are listed, promoted and rolled back with a reason, which the audit keeps."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.store.store import Store
from training.versions.registry import Registry

Opened = Callable[..., Any]


@pytest.fixture
def registry(registry_file: Path, tmp_path: Path) -> Registry:
    """A copy of the tests' registry, with a second version that scores."""
    copy = tmp_path / "mlflow.db"
    shutil.copy(registry_file, copy)
    registry = Registry(f"sqlite:///{copy}")
    model = registry.download("1", tmp_path / "files")
    registry.promote(registry.log_run(model_folder=model, metrics={"test_auc": 0.75}).version)
    return registry


def test_a_promotion_takes_a_reason_and_both_are_undone_and_kept(
    opened: Opened, store: Store, registry: Registry
) -> None:
    browser = opened(tracking_uri=registry.uri.text)
    listed = browser.seen("/models")

    without = browser.send("/models/1/promote", reason="  ")
    promoted = browser.send("/models/1/promote", reason="calmer in the large")
    rolled_back = browser.send("/models/rollback", reason="too calm")

    assert "Version 2 scores." in listed
    assert "The list is of version 1, and version 2 scores now." in listed
    assert "The list is of" not in promoted.text
    assert "0.750" in listed
    assert without.status_code == 400
    assert "Say why" in without.text
    assert "Version 1 scores." in promoted.text
    assert "Version 2 scores." in rolled_back.text
    assert [(entry.action, entry.about, entry.reason) for entry in store.audit.newest()] == [
        ("roll back", "version 2, before it 1", "too calm"),
        ("promote", "version 1", "calmer in the large"),
    ]
    assert "calmer in the large" in browser.seen("/audit")


def test_a_version_that_is_not_there_is_said_and_nothing_is_kept(
    opened: Opened, store: Store, registry: Registry
) -> None:
    answer = opened(tracking_uri=registry.uri.text).send("/models/9/promote", reason="why not")

    assert answer.status_code == 404
    assert "There is no such version." in answer.text
    assert store.audit.newest() == []


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "There was no champion before version 1. Promote another one"),
        ("fa", "پیش از نسخه ۱ نسخهٔ برگزیده‌ای نبود"),
    ],
)
def test_a_rollback_that_has_nothing_to_go_back_to_is_said_in_words_of_the_page(
    opened: Opened, registry: Registry, language: str, says: str
) -> None:
    registry.rollback()
    browser = opened(tracking_uri=registry.uri.text, language=language)

    answer = browser.send("/models/rollback", reason="once more")

    assert answer.status_code == 400
    assert says in answer.text
    assert not re.search("sqlite:|stayworth promote|stayworth models", answer.text)


def test_a_registry_that_is_not_there_is_said_without_its_address(opened: Opened, store: Store) -> None:
    answer = opened(tracking_uri="sqlite:///elsewhere.db").send("/models/rollback", reason="why not")

    assert answer.status_code == 400
    assert "No version scores now." in answer.text
    assert "elsewhere" not in answer.text and "--" not in answer.text.partition("<main")[2]


def test_a_card_is_shown_in_a_box_of_its_own(opened: Opened, registry: Registry) -> None:
    browser = opened(tracking_uri=registry.uri.text)

    card = browser.get("/models/1/card")

    assert "Model card" in card.text
    assert card.headers["content-security-policy"].endswith("sandbox")
    assert browser.get("/models/9/card").status_code == 404


def test_without_a_registry_the_page_says_how_to_train(opened: Opened) -> None:
    said = re.sub("<[^>]+>", "", opened().seen("/models"))

    assert re.search("No version is registered yet.*stayworth train --transactions", said, re.S)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            (
                "Version 3",
                "It ranks one who left above one who stayed 75 times in 100.",
                "A simpler model predicts better: log-loss 0.6000, of that one 0.5000.",
                "0.750",
            ),
        ),
        ("fa", ("نسخهٔ ۳", "۷۵", "مدلی ساده‌تر بهتر پیش‌بینی می‌کند", "۰٫۷۵۰", "نمرهٔ بریر")),
    ],
)
def test_a_version_is_told_in_the_readers_language_from_its_numbers(
    opened: Opened, registry: Registry, tmp_path: Path, language: str, said: tuple[str, ...]
) -> None:
    model = registry.download("1", tmp_path / "again")
    measured = {"auc": 0.75, "log_loss": 0.6, "best_baseline_log_loss": 0.5, "spend_ratio": 0.98}
    registry.log_run(model_folder=model, metrics={f"test_{name}": each for name, each in measured.items()})
    browser = opened(tracking_uri=registry.uri.text, language=language)

    page = browser.seen("/models/3")

    for each in said:
        assert each in page
    assert 'href="/models/3"' in browser.seen("/models")
    assert "nan" not in page.casefold()
    assert browser.get("/models/9").status_code == 404
