"""Options that an engine does not cover: refused by their names, never ignored."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from features.errors import StayworthError
from features.language import translated
from features.settings import Settings, flag_of, option_of


def require_covered(groups: Iterable[tuple[Settings, Collection[str]]], engine: str) -> None:
    """Raise a StayworthError if a setting is given that is not among those covered.

    Parameters
    ----------
    groups : pairs of a group of settings and the keys of it that are covered
    engine : str, its name

    Examples
    --------
    >>> from features.log.settings import LogSettings
    >>> log = LogSettings(transactions="orders", where="paid", timezone="Europe/Berlin")
    >>> require_covered([(log, {"transactions", "timezone"})], "spark")
    Traceback (most recent call last):
    features.errors.StayworthError: --engine spark does not cover --where: leave that out, or use --engine duckdb.
    """
    given = [
        _name(settings, key)
        for settings, covered in groups
        for key, field in type(settings).model_fields.items()
        if key not in covered
        and not field.is_required()
        and getattr(settings, key) != field.get_default(call_default_factory=True)
    ]
    if given:
        raise StayworthError(
            translated(
                "--engine {engine} does not cover {flags}: leave that out, or use --engine duckdb.",
                engine=engine,
                flags=", ".join(given),
            )
        )


def _name(settings: Settings, key: str) -> str:
    option = option_of(type(settings).model_fields[key])
    return flag_of(option) if option else f"{key} in [{settings.section}]"
