"""What the commands print: errors as one line, tables without noise, progress of long work.

Results go to the standard output, progress and errors to the standard error.
"""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from numbers import Integral, Real

import typer
from rich import progress as rich_progress
from rich.console import Console
from rich.table import Table

from features.errors import StayworthError
from features.language import translated, written
from features.log.findings import WARNING
from features.progress import Report

_NUMERIC = re.compile(r"\u200e?[-+−]?[\d,٬]*[.٫]?\d+( ?[%٪])?|[–-]?")
_PIPE_WIDTH = 140
_PIPE_SECONDS = 10.0


def exit_codes_of(command: Callable[..., None]) -> str | None:
    """Return what the exit codes of a command mean, for its help; None where its docstring says so itself."""
    if "Exit codes:" in (command.__doc__ or ""):
        return None
    strict = any(name.endswith("strict") for name in inspect.signature(command).parameters)
    found = " 3 with --strict, there is a finding that was not accepted;" if strict else ""
    return f"Exit codes: 0 done; 2 something for you to mend, which the message says;{found} 1 a fault of stayworth."


@contextmanager
def errors(*, debug: bool = False) -> Iterator[None]:
    """Turn errors into one line on the standard error and an exit code; also usable as a decorator.

    2, or the error's own code: the caller can mend it (:class:`StayworthError`, a full disk). 130: interrupted.
    1: anything else.

    Parameters
    ----------
    debug : bool
        Print the traceback too; so does a non-empty environment variable ``STAYWORTH_DEBUG``.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        raise _failure(translated("Stopped."), 130, debug=False) from None
    except StayworthError as error:
        raise _failure(translated("Error: {what}", what=str(error)), error.exit_code, debug) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _failure(_full(error), 2, debug) from None
        what = str(error).strip().rstrip(".") or translated("no message")
        said = translated("stayworth failed ({kind}: {what}).", kind=type(error).__name__, what=what)
        hint = "" if debug else " " + translated("Add --debug to see where, and please report it.")
        raise _failure(said + hint, 1, debug) from None


def _full(error: OSError) -> str:
    if error.filename:
        return translated(
            "Error: the disk is full while writing {file}. Free some space and try again.",
            file=error.filename,
        )
    return translated("Error: the disk is full. Free some space and try again.")


def _failure(message: str, code: int, debug: bool) -> typer.Exit:
    """Print a message and, on request, the traceback; return the exit."""
    if debug or os.environ.get("STAYWORTH_DEBUG", "") not in ("", "0"):
        traceback.print_exc()
    typer.secho(message, fg=typer.colors.RED, err=True)
    return typer.Exit(code)


def show_remarks(sentences: Iterable[str]) -> None:
    """Print what is worth knowing beside the results to the standard error, so that it stands out."""
    for sentence in sentences:
        typer.secho(sentence, fg=typer.colors.YELLOW, err=True)


def say(sentences: Iterable[str], *, err: bool) -> None:
    """Print sentences; warnings to the standard error, and beside a JSON document all."""
    for sentence in sentences:
        typer.echo(sentence, err=err or sentence.startswith(translated(WARNING, sentence="")))


def show_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table to the standard output; columns of numbers are right-aligned.

    Parameters
    ----------
    title : str; empty for none
    header : sequence of str; all empty for none
    rows : sequences of cells: whole numbers get thousands separators, floats two digits, None is empty,
        texts stay (a text such as ``12.5%`` counts as a number)

    Examples
    --------
    >>> show_table("Log", ["Rows", ""], [["used", 69659], ["quarantined", 0]])
    Log
    Rows
    used         69,659
    quarantined       0
    """
    cells = [[_cell(cell) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False, show_header=any(header))
    for index, name in enumerate(header):
        numeric = all(_NUMERIC.fullmatch(row[index]) for row in cells)
        table.add_column(name, justify="right" if numeric and cells else "left", header_style="dim")
    for row in cells:
        table.add_row(*row)
    screen = console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    with screen.capture() as printed:
        if title:
            screen.print(title, style="bold")
        screen.print(table)
    typer.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))


def show_json(document: object) -> None:
    """Print a document for a script: what is no number as null, dates and what else JSON does not know as text."""
    typer.echo(json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False, default=str))


def _plain(document: object) -> object:
    """Return a document in JSON's types, as far as it has them."""
    if isinstance(document, Mapping):
        return {str(key): _plain(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_plain(each) for each in document]
    if isinstance(document, Integral) and not isinstance(document, bool):  # numpy's too
        return int(document)
    if isinstance(document, Real) and not isinstance(document, bool):
        return float(document) if isfinite(document) else None
    return document


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Integral) and not isinstance(cell, bool):  # numpy's too
        return written(int(cell), ",")
    return (
        written(float(cell), ",.2f") if isinstance(cell, Real) and not isinstance(cell, bool) else str(cell)
    )


def console(*, stderr: bool = False, width: int | None = None) -> Console:
    """Return a console that prints what it is given: no colours guessed, no mark-up read."""
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


@contextmanager
def progress() -> Iterator[Report]:
    """Show the steps of long work on the standard error: bars on a terminal, plain lines in a pipe.

    Yields
    ------
    Report
        Call it with a step's name, the amount done and the total; a new name begins a new step.

    Examples
    --------
    >>> with progress() as report:
    ...     for month in range(3):
    ...         report("Building features", month + 1, 3)
    """
    screen = console(stderr=True)
    if screen.is_terminal:
        bars = rich_progress.Progress(
            rich_progress.TextColumn("{task.description}", markup=False),
            rich_progress.BarColumn(),
            rich_progress.TextColumn("{task.fields[count]}", markup=False, justify="right"),
            rich_progress.TimeElapsedColumn(),
            console=screen,
            transient=True,  # the tables that follow say what was done
        )
        with bars:
            yield _bars(bars)
    else:
        yield _lines()


def _bars(bars: rich_progress.Progress) -> Report:
    tasks: dict[str, rich_progress.TaskID] = {}

    def report(step: str, done: int, total: int) -> None:
        if step not in tasks:
            for task in bars.tasks:  # a new step: those before are done, also where their size was unknown
                bars.update(task.id, total=task.total or 1, completed=task.total or 1)
            tasks[step] = bars.add_task(step, total=None, count="")
        bars.update(tasks[step], completed=done, total=total or None, count=_count(done, total))

    return report


def _count(done: int, total: int) -> str:
    if total:
        return translated("{done:,} of {total:,}", done=done, total=total)
    return written(done, ",") if done else ""


def _lines() -> Report:
    """Report a step's beginning, then every few seconds: a log file stays readable."""
    current, printed_at = "", 0.0

    def report(step: str, done: int, total: int) -> None:
        nonlocal current, printed_at
        now = time.monotonic()
        if step != current or now - printed_at >= _PIPE_SECONDS:
            typer.echo(f"{step} {_count(done, total)}".rstrip(), err=True)
            current, printed_at = step, now

    return report
