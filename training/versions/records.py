"""Versions and champions as MLflow records them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from training.versions.champion_history import champions_in_order, history_tag
from training.versions.version import CHAMPION, MODEL_NAME, Version

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel


def search(client: MlflowClient) -> list[ModelVersion]:
    """Return MLflow's records of all versions, newest first."""
    page = client.search_model_versions(f"name='{MODEL_NAME}'")
    found = list(page)
    while page.token:
        page = client.search_model_versions(f"name='{MODEL_NAME}'", page_token=page.token)
        found += page
    return sorted(found, key=lambda record: int(record.version), reverse=True)


def registered_model(client: MlflowClient) -> RegisteredModel | None:
    """Return MLflow's record of the model as a whole; aliases stand in it, not with the versions."""
    found = client.search_registered_models(f"name='{MODEL_NAME}'")
    return found[0] if found else None


def aliases_of(registered: RegisteredModel | None) -> dict[str, str]:
    """Return the version behind each alias."""
    return {alias: str(version) for alias, version in registered.aliases.items()} if registered else {}


def champions_of(registered: RegisteredModel | None) -> list[str]:
    """Return the champions, oldest first."""
    return champions_in_order(registered.tags) if registered else []


def make_champion(client: MlflowClient, version: str) -> None:
    """Give a version the alias and record it; a champion that got the alias by hand is recorded first."""
    registered = registered_model(client)
    before = aliases_of(registered).get(CHAMPION)
    if before and champions_of(registered)[-1:] != [before]:
        client.set_registered_model_tag(MODEL_NAME, *history_tag("promote", before))
    move_alias(client, version)
    if before != version:
        client.set_registered_model_tag(MODEL_NAME, *history_tag("promote", version))


def move_alias(client: MlflowClient, version: str) -> None:
    """Point the alias at a version; where two set it for the first time at once, one has to try again."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, version)
    except MlflowException:
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, version)


def version_of(client: MlflowClient, found: ModelVersion, aliases: Mapping[str, str]) -> Version:
    """Return a version with what its run measured."""
    run_id = str(found.run_id)
    logged = client.get_run(run_id).data
    return Version(
        version=str(found.version),
        run_id=run_id,
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
        aliases=tuple(sorted(alias for alias, version in aliases.items() if version == str(found.version))),
        metrics=dict(logged.metrics),
        params=dict(logged.params),
        tags=dict(found.tags),
    )
