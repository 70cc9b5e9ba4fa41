"""The file that offers are kept in: ``[[offers]]`` tables of TOML."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.documents import read_toml
from features.files import atomic_path
from features.invalid import why
from features.language import translated
from training.offers.offers import Offer, OfferError, require_own_names


class _OfferFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    offers: list[Offer] = Field(min_length=1)


def read_offers(path: str | Path) -> list[Offer]:
    """Read ``[[offers]]`` tables from a TOML file.

    Raises
    ------
    OfferError
        If the file cannot be read, two offers share a name, or a figure is missing or out of range.
    """
    try:
        raw = read_toml(Path(path))
    except OSError as error:
        raise OfferError(
            translated("Can't read the offers file {path}: {reason}.", path=path, reason=error.strerror)
        ) from None
    except ValueError as error:
        raise OfferError(translated("{path} is not valid TOML: {error}.", path=path, error=error)) from None
    try:
        offers = _OfferFile.model_validate(raw).offers
    except ValidationError as error:
        raise OfferError(f"{path}: {_explain(error, raw)}") from None
    require_own_names(offers, f"{path}: two")
    return offers


def write_offers(offers: Sequence[Offer], path: str | os.PathLike[str]) -> None:
    """Write offers as ``[[offers]]`` tables, to be read by `read_offers`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "offers.toml"
    >>> offers = [Offer(name="voucher", incentive_cost=10, acceptance_rate=0.3)]
    >>> write_offers(offers, path)
    >>> read_offers(path) == offers
    True
    """
    tables = (_written(offer) for offer in offers)
    text = "\n".join("[[offers]]\n" + "".join(f"{k} = {_toml(v)}\n" for k, v in t.items()) for t in tables)
    with atomic_path(path) as beside:
        beside.write_text(text, encoding="utf-8")


def _written(offer: Offer) -> dict[str, Any]:
    table = offer.model_dump(mode="json", exclude_none=True)
    return {name: value for name, value in table.items() if value not in ([], {})}


def _toml(value: object) -> str:
    """Write a text, number, truth value, table or list of tables; all but these as JSON does."""
    if isinstance(value, list | tuple):
        return "[\n" + "".join(f"  {_toml(each)},\n" for each in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _explain(error: ValidationError, raw: dict[str, Any]) -> str:
    """Put pydantic's findings in the words of the file."""
    lines = []
    for problem in error.errors():
        where = [
            part
            for part in problem["loc"]
            if part not in ("offers", "float", "BetaPrior", "constrained-float")
            and not str(part).startswith("literal[")
        ]
        message = why(problem, Offer.model_fields if len(where) == 2 else ())
        if where and isinstance(where[0], int):
            table = raw["offers"][where[0]]
            name = table.get("name", f"number {where[0] + 1}") if isinstance(table, dict) else where[0] + 1
            lines.append(f"offer {name}: {'.'.join(map(str, where[1:]))} {message}".replace(":  ", ": "))
        else:
            lines.append(
                translated(
                    "{where}: {message} (the file needs [[offers]] tables)",
                    where=".".join(map(str, where)) or "offers",
                    message=message,
                )
            )
    return "; ".join(dict.fromkeys(lines)) + "."
