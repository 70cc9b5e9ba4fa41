"""One definition of a setting gives its flag, its config key, its default and its help.

A group of settings is a pydantic model whose fields say their flag::

    class TrainSettings(BaseModel):
        horizon_days: Annotated[int, Field(ge=1), typer.Option("--horizon-days", help="Length of ...")] = 90

    @app.command()
    @options
    def train(log: LogSettings, settings: TrainSettings) -> None: ...

:func:`options` turns each parameter that is such a model into the model's flags, so the command is called
with validated models. The model's name names its section in ``stayworth.toml``: ``[train]``. A flag beats
the environment, that beats the file, the file beats the default. A field without a flag is for the file.
"""

from __future__ import annotations

import copy
import inspect
import json
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from rich.markup import escape
from typer.models import OptionInfo

from features.commands.console import errors
from features.errors import StayworthError
from features.suggestion import did_you_mean

CONFIG_FILE = "stayworth.toml"
SECTIONS = (
    *("log", "columns", "train", "score", "serve", "plan", "measure", "tournament", "registry", "monitor"),
    *("backtest", "keys"),
)

Config = Mapping[str, Mapping[str, Any]]

# Filled by ``options`` as commands are defined, so that an entry point checks all the sections it knows.
_models: dict[str, type[BaseModel]] = {}


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Expand a command's pydantic parameters into flags, and add ``--config`` and ``--debug``.

    Errors that the command raises become messages and exit codes (:func:`features.commands.console.errors`).

    Parameters
    ----------
    command : function whose parameters are annotated with settings models or as Typer wants them

    Returns
    -------
    function for ``Typer.command()``
    """
    hints = get_type_hints(command, include_extras=True)
    parameters = list(inspect.signature(command).parameters.values())
    models = {p.name: hints[p.name] for p in parameters if _is_model(hints[p.name])}
    for model in models.values():
        register(model)
    own = [
        p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in parameters if p.name not in models
    ]
    expanded = [flag for model in models.values() for flag in _flags(model)]

    @wraps(command)
    def run(ctx: typer.Context, config: Path | None, debug: bool, **values: Any) -> None:
        with errors(debug=debug):
            file = read_config(config)
            arguments = {p.name: values[p.name] for p in own}
            for name, model in models.items():
                arguments[name] = _build(model, _given(ctx, model, values), file)
            command(**arguments)

    signature = inspect.Signature([*expanded, *own, *_common()])
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}
    return run


def register(model: type[BaseModel]) -> None:
    """Make a settings model known as a section of the config file; done by :func:`options`."""
    section = section_of(model)
    if section not in SECTIONS or _models.setdefault(section, model) is not model:
        raise TypeError(f"{model.__name__} claims the section [{section}], which is unknown or taken")


def section_of(model: type[BaseModel]) -> str:
    """Return the section of the config file that a model describes.

    Examples
    --------
    >>> class TrainSettings(BaseModel):
    ...     pass
    >>> section_of(TrainSettings)
    'train'
    """
    return model.__name__.removesuffix("Settings").lower()


def read_config(path: Path | None = None) -> Config:
    """Read ``stayworth.toml`` and refuse what no command knows.

    Parameters
    ----------
    path : pathlib.Path or None
        The file; None means ``stayworth.toml`` here, if there is one.

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
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StayworthError(f"No config file {path}. 'stayworth config' prints one to start from.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StayworthError(f"Cannot read {path}: {error}.") from None
    for section, keys in content.items():
        if not isinstance(keys, dict):
            raise StayworthError(
                f"{path}: {section!r} stands before any section; put it under one, as [log]."
            )
        _require_known(section, SECTIONS, f"{path} has no section [{{}}]")
        if model := _models.get(section):
            for key in keys:
                _require_known(key, tuple(model.model_fields), f"{path}: [{section}] has no key {{!r}}")
    return content


def config_text() -> str:
    """Return a ``stayworth.toml`` with every key at its default, its help and flag as a comment.

    A key without a default stands there commented out.
    """
    lines = ["# Settings of stayworth. Flags override them. Delete what you do not change."]
    for section in SECTIONS:
        if section not in _models:
            continue
        lines += ["", f"[{section}]"]
        for key, field in _models[section].model_fields.items():
            option = _option(field)
            help_text = (option.help if option else field.description) or ""
            flag = f"({_flag(option)})" if option else ""
            lines += textwrap.wrap(f"{help_text} {flag}", 100, initial_indent="# ", subsequent_indent="# ")
            default = None if field.is_required() else _as_json(_models[section], key, field)
            lines.append(
                f"# {key} =" if default is None else f"{key} = {json.dumps(default, ensure_ascii=False)}"
            )
    return "\n".join(lines) + "\n"


def _as_json(model: type[BaseModel], key: str, field: FieldInfo) -> Any:
    """Return a default in JSON's types; TOML writes texts, numbers, booleans and lists the same way."""
    default = field.get_default(call_default_factory=True)
    return model.model_construct(**{key: default}).model_dump(mode="json", include={key})[key]


def _require_known(name: str, known: tuple[str, ...], complaint: str) -> None:
    if name not in known:
        remedy = did_you_mean(name, known) or f" Known are {', '.join(known)}."
        raise StayworthError(f"{complaint.format(name)}.{remedy}")


def _is_model(hint: object) -> bool:
    return inspect.isclass(hint) and issubclass(hint, BaseModel)


def _option(field: FieldInfo) -> OptionInfo | None:
    return next((item for item in field.metadata if isinstance(item, OptionInfo)), None)


def _flag(option: OptionInfo) -> str:
    """Return the flag as one types it; Typer keeps the first of an ``Annotated`` option as its default."""
    return str(option.default).split("/")[0]


def _parameter(model: type[BaseModel], key: str) -> str:
    """Name a flag's parameter, unlike any other model's."""
    return f"{section_of(model)}_{key}"


def _flags(model: type[BaseModel]) -> Iterator[inspect.Parameter]:
    """Yield one Typer parameter for each field that has a flag."""
    for key, field in model.model_fields.items():
        option = copy.copy(_option(field))
        if option is None:
            continue
        option.help = escape(option.help or "")
        annotation: Any = field.annotation
        default = field.get_default(call_default_factory=True)
        if field.is_required():  # by flag or by file, so Typer must not insist on the flag
            annotation, default = annotation | None, None
            option.help = rf"{option.help} [red]\[required][/red]"
        else:
            section = section_of(model)
            option.rich_help_panel = (
                option.rich_help_panel or rf"{section.capitalize()}: \[{section}] in {CONFIG_FILE}"
            )
        yield inspect.Parameter(
            _parameter(model, key),
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[annotation, option],
        )


def _common() -> list[inspect.Parameter]:
    """Return the parameters that every command has."""
    config = typer.Option("--config", help="Settings file.", show_default=f"./{CONFIG_FILE}, if it exists")
    debug = typer.Option("--debug", envvar="STAYWORTH_DEBUG", help="Show where an error came from.")
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter("config", keyword, default=None, annotation=Annotated[Path | None, config]),
        inspect.Parameter("debug", keyword, default=False, annotation=Annotated[bool, debug]),
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
    ]


def _given(ctx: typer.Context, model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that came from flags or the environment."""
    given = {}
    for key in model.model_fields:
        source = ctx.get_parameter_source(_parameter(model, key))
        if source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT"):
            given[key] = values[_parameter(model, key)]
    return given


def _build(model: type[BaseModel], given: Mapping[str, Any], file: Config) -> BaseModel:
    """Validate settings; complain in the words of the place where the value came from."""
    section = section_of(model)
    try:
        return model.model_validate({**file.get(section, {}), **given})
    except ValidationError as error:
        problems = (_problem(model, section, given, details) for details in error.errors())
        raise StayworthError(" ".join(problems)) from None


def _problem(
    model: type[BaseModel], section: str, given: Mapping[str, Any], details: Mapping[str, Any]
) -> str:
    message = details["msg"].removeprefix("Value error, ").rstrip(".")
    if not details["loc"]:
        return f"{message}."
    key = str(details["loc"][0])
    option = _option(model.model_fields[key])
    flag = _flag(option) if option else None
    if details["type"] == "missing":
        return f"{flag or key} is missing. Give it here or as {key} in [{section}] of {CONFIG_FILE}."
    where = flag if flag and key in given else f"{key} in [{section}] of the config file"
    if message.startswith("Input "):
        message = f"{details['input']!r}{message.removeprefix('Input')}"
    return f"{where}: {message}."
