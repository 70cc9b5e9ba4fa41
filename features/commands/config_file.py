"""The config file ``stayworth.toml``: read and checked, and printed with every default."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from features.documents import read_toml
from features.errors import StayworthError
from features.language import translated
from features.settings import CONFIG_FILE, SECTIONS, Settings, flag_of, option_of
from features.suggestion import did_you_mean, nearest

Config = Mapping[str, Mapping[str, Any]]

_SLIP, _SHORT_SLIP, _SHORT = (
    0.75,
    0.6,
    4,
)  # similarity to a known section from which a name is a slip; letters


def read_config(path: Path | None = None, *, partial: bool = False) -> Config:
    """Read the config file and refuse sections and keys that do not exist.

    Parameters
    ----------
    path : pathlib.Path or None
        The file; None means ``stayworth.toml`` here, if there is one.
    partial : bool
        Whether this program has some commands only: a section of the others is let through, unless it is nearly
        the name of one that is known.

    Returns
    -------
    mapping of section to mapping of key to value; empty without a file

    Raises
    ------
    StayworthError
        If the file is missing or no TOML, or has an unknown section or key; names the nearest known one.
    """
    if path is None and not Path(CONFIG_FILE).is_file():
        return {}
    path = path or Path(CONFIG_FILE)
    try:
        content = read_toml(path)
    except FileNotFoundError:
        raise StayworthError(
            translated("No config file {path}. 'stayworth config' prints one to start from.", path=path)
        ) from None
    except (OSError, ValueError) as error:
        raise StayworthError(translated("Cannot read {path}: {error}.", path=path, error=error)) from None
    for section, keys in content.items():
        if not isinstance(keys, dict):
            raise StayworthError(
                translated(
                    "{path}: {section!r} stands before any section; put it under one, as [log].",
                    path=path,
                    section=section,
                )
            )
        _require_not_moved(path, section, keys)
        if section in SECTIONS:
            for key in keys:
                _require_known(
                    key,
                    SECTIONS[section].model_fields,
                    translated("{path}: [{section}] has no key {key!r}", path=path, section=section, key=key),
                )
        elif not partial or nearest(
            section, SECTIONS, cutoff=_SHORT_SLIP if len(section) <= _SHORT else _SLIP
        ):
            _require_known(
                section, SECTIONS, translated("{path} has no section [{section}]", path=path, section=section)
            )
    return content


def _require_known(name: str, known: Collection[str], complaint: str) -> None:
    if name not in known:
        remedy = did_you_mean(name, known) or " " + translated("Known are {names}.", names=list(known))
        raise StayworthError(f"{complaint}.{remedy}")


def _require_not_moved(path: Path, section: str, keys: Collection[str]) -> None:
    """Say where the keys of an earlier release's file are now."""
    own = SECTIONS[section].model_fields if section in SECTIONS else {}
    for model in SECTIONS.values():
        for before, key in model.moved_here.items():
            if before in keys and before not in own:
                raise StayworthError(
                    translated(
                        "{path}: {before} is no longer a key of [{section}]. All commands share it now: write it "
                        "once, as {key} in [{home}].",
                        path=path,
                        before=before,
                        section=section,
                        key=key,
                        home=model.section,
                    )
                )


def config_text(models: Iterable[type[Settings]]) -> str:
    """Return a ``stayworth.toml`` with every key of the sections at its default, its help and flag as a comment.

    A key without a default is commented out.
    """
    lines = ["# Settings of stayworth. Flags override them. Delete what you do not change."]
    for model in models:
        lines += ["", f"[{model.section}]"]
        for key, field in model.model_fields.items():
            option = option_of(field)
            help_text = (option.help if option else field.description) or ""
            flag = f"({flag_of(option)})" if option else ""
            lines += textwrap.wrap(f"{help_text} {flag}", 100, initial_indent="# ", subsequent_indent="# ")
            default = None if field.is_required() else _as_json(model, key, field)
            lines.append(
                f"# {key} ="
                if default in (None, {})
                else f"{key} = {json.dumps(default, ensure_ascii=False)}"
            )
    return "\n".join(lines) + "\n"


def _as_json(model: type[Settings], key: str, field: FieldInfo) -> Any:
    """Return a default in JSON's types; TOML writes texts, numbers, booleans and lists the same way."""
    default = field.get_default(call_default_factory=True)
    return model.model_construct(**{key: default}).model_dump(mode="json", include={key})[key]
