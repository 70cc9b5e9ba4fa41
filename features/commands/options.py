"""Flags of a command, made from groups of settings.

:func:`options` turns each parameter that is a `features.settings.Settings` into the group's flags, so that the
command is called with validated groups::

    @app.command()
    @options
    def train(log: LogSettings, settings: TrainSettings) -> None: ...

A flag beats the environment, that beats the config file, the file beats the default. A field without a flag is
for the file.

Not pydantic-settings: its sources are merged before they are validated, so that a message cannot say which of
them a value came from, and its command line is argparse's, without Typer's panels and sub-commands. It would
replace only the reading of the file (5 lines) and of the environment (3).
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import typer
from pydantic import ValidationError
from rich.markup import escape

from features.commands.config_file import Config, read_config
from features.commands.console import errors
from features.commands.outputs import require_apart
from features.errors import StayworthError
from features.invalid import why
from features.language import ENGLISH, LANGUAGES, Language, translated, use_language
from features.settings import CONFIG_FILE, Settings, flag_of, option_of

CONFIG_ONLY = "config only"
"""Annotation of a parameter whose settings are read from the config file, and are no flags of this command.

Where the parameter may be None, it is, unless the file gives one of the section's keys that have no default.
"""


@dataclass(frozen=True)
class OnlyFlags:
    """Annotation of a parameter of whose settings only some are flags of this command; the file has the others.

    Parameters
    ----------
    keys : tuple of str, names of settings
    """

    keys: tuple[str, ...]


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
InLanguage = Annotated[
    Language, typer.Option("--language", help="Language of what is printed: en, or fa for Persian.")
]
"""The language of a command that has none among its settings."""


class _Group(NamedTuple):
    """A command's parameter that is a group of settings: which of them are flags, and whether it may be None."""

    model: type[Settings]
    flags: tuple[str, ...]
    may_lack: bool


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Expand a command's groups of settings into flags, and add ``--config`` and ``--debug``.

    Errors that the command raises become messages and exit codes (:func:`features.commands.console.errors`).

    Parameters
    ----------
    command : function whose parameters are annotated with groups of settings or as Typer wants them

    Returns
    -------
    function for ``Typer.command()``; its attribute ``sections`` holds the groups
    """
    hints = get_type_hints(command, include_extras=True)
    parameters = list(inspect.signature(command).parameters.values())
    groups = {p.name: group for p in parameters if (group := _group(hints[p.name]))}
    own = [
        p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in parameters if p.name not in groups
    ]
    expanded = [flag for group in groups.values() for flag in _flags(group)]

    @wraps(command)
    def run(ctx: typer.Context, config: Path | None, debug: bool, **values: Any) -> None:
        # Whatever the command says, errors included, is in the language that a flag chooses, else the config file.
        flagged = _flagged_language(ctx, groups, values)
        with use_language(flagged or ENGLISH), errors(debug=debug):
            # A command that is a program of its own, as `python -m training`, knows its own sections only.
            file = read_config(config, partial=ctx.parent is None)
            with use_language(flagged or _language_of(groups, file)), errors(debug=debug):
                arguments = {p.name: values[p.name] for p in own}
                for name, group in groups.items():
                    given = _given(ctx, group, values)
                    arguments[name] = None if _is_lacking(group, file) else _build(group.model, given, file)
                # A section that may lack is of a later step, which reads what an earlier one writes.
                later = {name for name, group in groups.items() if group.may_lack}
                require_apart({name: each for name, each in arguments.items() if name not in later})
                command(**arguments)

    signature = inspect.Signature([*expanded, *own, *_common()])
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}
    run.sections = tuple(group.model for group in groups.values())  # type: ignore[attr-defined]
    return run


def _flagged_language(ctx: typer.Context, groups: Mapping[str, _Group], values: Mapping[str, Any]) -> str:
    """Return the language that a flag of the command chooses; empty where none does."""
    of_groups = (_given(ctx, group, values).get("language") for group in groups.values())
    return next((str(each.value) for each in of_groups if each), str(values.get("language") or ""))


def _language_of(groups: Mapping[str, _Group], file: Config) -> str:
    """Return the language that the command's sections of the config file choose; what is none is refused later."""
    found = (file.get(group.model.section, {}).get("language") for group in groups.values())
    return next((str(each) for each in found if each in LANGUAGES), ENGLISH)


def sections_of(command: Any) -> list[type[Settings]]:
    """Return the sections that a Click command and its sub-commands read, in the order of the help."""
    found = list(getattr(command.callback, "sections", ()))
    for inner in getattr(command, "commands", {}).values():
        found += sections_of(inner)
    return list(dict.fromkeys(found))


def _group(hint: Any) -> _Group | None:
    hint, *extras = get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
    models = [
        each for each in (hint, *get_args(hint)) if inspect.isclass(each) and issubclass(each, Settings)
    ]
    if not models:
        return None
    model = models[0]
    if not model.section:
        raise TypeError(f"{model.__name__} declares no section of {CONFIG_FILE}")
    chosen = next((each.keys for each in extras if isinstance(each, OnlyFlags)), tuple(model.model_fields))
    return _Group(model, () if CONFIG_ONLY in extras else chosen, may_lack=hint is not model)


def _is_lacking(group: _Group, file: Config) -> bool:
    """Tell whether a group that may be None is not configured: the file gives no key that has to be given."""
    required = {key for key, field in group.model.model_fields.items() if field.is_required()}
    return group.may_lack and not required & file.get(group.model.section, {}).keys()


def _parameter(model: type[Settings], key: str) -> str:
    """Name a flag's parameter, unlike any other group's."""
    return f"{model.section}_{key}"


def _flags(group: _Group) -> Iterator[inspect.Parameter]:
    """Yield one Typer parameter for each field that is a flag."""
    model = group.model
    for key in group.flags:
        field = model.model_fields[key]
        option = copy.copy(option_of(field))
        if option is None:
            continue
        option.help = escape(option.help or "")
        annotation: Any = field.annotation
        default = field.get_default(call_default_factory=True)
        if field.is_required():  # by flag or by file, so Typer must not insist on the flag
            annotation, default = annotation | None, None
            option.help = rf"{option.help} [red]\[required][/red]"
        else:
            panel = rf"{model.section.capitalize()}: \[{model.section}] in {CONFIG_FILE}"
            option.rich_help_panel = option.rich_help_panel or panel
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


class _Given(NamedTuple):
    """A setting's value, and the flag or environment variable that it came from."""

    value: Any
    place: str


def _given(ctx: typer.Context, group: _Group, values: Mapping[str, Any]) -> dict[str, _Given]:
    """Return the settings that came from flags or the environment."""
    given = {}
    for key in group.flags:
        parameter, option = _parameter(group.model, key), option_of(group.model.model_fields[key])
        source = ctx.get_parameter_source(parameter)
        if option and source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT"):
            place = flag_of(option) if source.name == "COMMANDLINE" else str(option.envvar)
            given[key] = _Given(values[parameter], place)
    return given


def _build(model: type[Settings], given: Mapping[str, _Given], file: Config) -> Settings:
    """Validate a group; name the place where a wrong value came from."""
    flags = {key: each.value for key, each in given.items()}
    try:
        return model.model_validate({**file.get(model.section, {}), **flags})
    except ValidationError as error:
        problems = (_problem(model, given, details) for details in error.errors())
        raise StayworthError(" ".join(problems)) from None


def _problem(model: type[Settings], given: Mapping[str, _Given], details: Mapping[str, Any]) -> str:
    if not details["loc"]:
        return f"{why(details)}."
    key = str(details["loc"][0])
    if details["type"] == "missing":
        option = option_of(model.model_fields[key])
        return translated(
            "{name} is missing. Give it here or as {key} in [{section}] of {file}.",
            name=flag_of(option) if option else key,
            key=key,
            section=model.section,
            file=CONFIG_FILE,
        )
    if key in given:
        where = given[key].place
    else:
        where = translated("{key} in [{section}] of the config file", key=key, section=model.section)
    return f"{where}: {why(details, model.model_fields)}."
