"""What is said in the browser in place of sentences that name what is typed at a terminal: flags, commands, addresses.

It is the control there that does it, or who can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from features.errors import StayworthError
from features.language import translatable, translated

_FLAG = re.compile(r"(?<![\w-])--[a-z]")

IN_BROWSER = {
    "Left out: {n:dormant customer|dormant customers}, silent for more than {days:day|days}. With them the plan would "
    "promise about {profit:,.2f} ({once:,.2f} if those who come back buy once) instead of {instead:,.2f}; --dormant "
    "contacts them.": translatable(
        "Left out: {n:dormant customer|dormant customers}, silent for more than {days:day|days}. With them the plan "
        "would promise about {profit:,.2f} ({once:,.2f} if those who come back buy once) instead of {instead:,.2f}; a "
        "tick at “Dormant” in the step “Audience” contacts them."
    ),
    "Left out: {n:dormant customer|dormant customers}, silent for more than {days:day|days}. With them the plan would "
    "promise about {profit:,.2f} instead of {instead:,.2f}; --dormant contacts them.": translatable(
        "Left out: {n:dormant customer|dormant customers}, silent for more than {days:day|days}. With them the plan "
        "would promise about {profit:,.2f} instead of {instead:,.2f}; a tick at “Dormant” in the step “Audience” "
        "contacts them."
    ),
    "Left out: {n:customer|customers} who cost more than they bring: {value:,.2f} in all, and to keep them keeps the "
    "loss. --allow-loss-makers contacts those with whom an offer pays all the same.": translatable(
        "Left out: {n:customer|customers} who cost more than they bring: {value:,.2f} in all, and to keep them keeps "
        "the loss."
    ),
    "Left alone for campaigns still running, {names}: {held_out:,} held out, {contacted:,} contacted. Delete the "
    "folder of a plan that was never carried out, or withdraw it where the store keeps it.": translatable(
        "Left alone for campaigns still running, {names}: {held_out:,} held out, {contacted:,} contacted. A campaign "
        "that was never carried out is withdrawn on its own page."
    ),
    "So it will probably not show whether it worked. That would take {needed:customer|customers} at this share, or a "
    "larger holdout (--holdout, --effect).": translatable(
        "So it will probably not show whether it worked. That would take {needed:customer|customers} at this share, or "
        "a larger holdout."
    ),
    "Resumption: {estimate:.2f} ({level:.0%}: {low:.2f} to {high:.2f}); the plan assumed {assumed:.2f}. Use it with "
    "{flag}, in 'stayworth train' for all values, or in 'stayworth plan'.": translatable(
        "Resumption: {estimate:.2f} ({level:.0%}: {low:.2f} to {high:.2f}); the plan assumed {assumed:.2f}. Tell "
        "whoever trains the models: all values can take it."
    ),
    "Who is missing would count as one who did not buy. Give the shop's whole log, the orders of all customers since "
    "{start:date} at least. --allow-unmatched goes on as it is.": translatable(
        "Who is missing would count as one who did not buy. Send the shop's whole log, the orders of all customers "
        "since {start:date} at least."
    ),
    "Incentive costs are assumed, not measured: give --redeemed to know who took them.": translatable(
        "Incentive costs are assumed, not measured: send the file of those who took the incentive too."
    ),
    "This campaign was planned without a holdout, so its effect can't be measured. Plan the next one with --holdout "
    "0.1.": translatable(
        "This campaign was planned without a holdout, so its effect can't be measured. Plan the next one with one."
    ),
    "Write them as 2011-01-31, or say how: --date-format '%d/%m/%Y'.": translatable(
        "Write them as 2011-01-31."
    ),
    "--columns {preset} needs a column {wanted}, which the list has not. Give the contacts: --customers "
    "crm.csv.": translatable(
        "A list for {preset} needs a column {wanted}, which this one has not. Take the CSV, or send contacts in the "
        "step “Exclusions and contacts” of the next campaign."
    ),
    "Save it as UTF-8 (in Excel: CSV UTF-8), or name its encoding: --encoding cp1252 (Western Europe), cp1254 "
    "(Turkish), cp1256 (Arabic, Persian).": translatable("Save it as UTF-8 (in Excel: CSV UTF-8)."),
    "{path} is of no kind that can be read.{kind} Give {formats}.": translatable(
        "{path} is of no kind that can be read.{kind} Send a table as CSV, .xlsx or .parquet."
    ),
    "--allow-unmatched goes on as it is.": translatable("Send a file of the same customers."),
    "Of {total:message|messages} it took {taken:,}; {kept:,} are kept in {path}": translatable(
        "Of {total:message|messages} it took {taken:,}; {kept:,} are kept"
    ),
    "{failure} {kept}, and sent by the next run.": translatable("{failure} {kept}, and sent the next time."),
    "{refused} {kept}, and sent again by the next run; delete them there to give them up.": translatable(
        "{refused} {kept}, and sent again the next time."
    ),
    "A customer is active for {days:day|days} after a purchase (--inactivity-days).": translatable(
        "A customer is active for {days:day|days} after a purchase."
    ),
    "Cannot write {path}: {rows:row|rows}, and a worksheet holds {most:,}. Write {name} instead, or use --top to take "
    "fewer.": translatable(
        "A worksheet holds {most:row|rows}, and these are {rows:row|rows}. Take the CSV, or choose fewer filters."
    ),
    "There was no champion before version {version} in {uri}. Promote another: stayworth models lists them, stayworth "
    "promote VERSION.": translatable(
        "There was no champion before version {version:digits}. Promote another one in the table of versions."
    ),
    "{uri} has no version {version} of {model}.": translatable(
        "The registry has no version {version:digits} of {model}."
    ),
    "No model has the alias '{champion}' in {uri}. Train one first: stayworth train --transactions orders.csv "
    "--promote": translatable(
        "No version scores now. An administrator promotes one under “Models”; where there is none, whoever has the log "
        "of orders trains it."
    ),
    "(or name the one you have by --tracking-uri: there is no file {file})": translatable(
        "Or whoever runs the workbench named another registry: where it looks there is none."
    ),
    "Version {version} of {model} in {uri} has lost its files. Put them back, or promote another: stayworth models, "
    "stayworth promote VERSION.": translatable(
        "Version {version:digits} of {model} has lost its files. Have another one promoted."
    ),
    "{called} was trained by another release of stayworth, or on other features. Train it again: stayworth train "
    "--transactions orders.csv --promote": translatable(
        "{called} was trained by another release of stayworth, or on other features. Have it trained again."
    ),
    "The disk is full: that of the model registry {uri}, of its models, or of temporary files ({folder}). Free some "
    "space and try again; registered versions are intact.": translatable(
        "A disk is full: that of the model registry, of its models, or of temporary files. Registered versions are "
        "intact. Tell whoever runs the workbench."
    ),
    "The model registry {uri} cannot be used: {reason}. Check that it is up, and the address: sqlite:///file.db, "
    "http://host:port or postgresql://user:password@host/name.": translatable(
        "The model registry cannot be used: {reason}. Tell whoever runs the workbench."
    ),
    "The store {store} cannot be read: {reason}.": translatable(
        "The store cannot be read: {reason}. Tell whoever runs the workbench."
    ),
    "Nothing is published in {store} yet. Publish first: stayworth score --transactions … --publish": translatable(
        "No list is published yet. Whoever has the log of orders publishes one."
    ),
    "The disk of the store {store} is full. What was published before is intact. Free some space and try "
    "again.": translatable(
        "The disk of the store is full. What was published before is intact. Tell whoever runs the workbench."
    ),
    "The store {store} is being written to by another process. Try again when it has ended.": translatable(
        "The store is being written to by another process. Try again when it has ended."
    ),
    "The store {store} cannot be reached: {why} {remedy}": translatable(
        "Its server does not answer just now. Nothing was changed: load the page again when it is back."
    ),
    "The store {store} cannot be used: {why} {remedy}": translatable(
        "The store cannot be used: {why} Tell whoever runs the workbench."
    ),
    "The store {address} has the tables of an older release of stayworth (schema {found}, wanted {schema_version}). "
    "The next 'stayworth score --publish' or 'stayworth keys add' upgrades it.": translatable(
        "The store has the tables of an older release of stayworth. The next list that is published upgrades it."
    ),
    "The store {address} has the tables of a newer release of stayworth (schema {found}, known here is "
    "{schema_version}). Upgrade this installation, or name another store.": translatable(
        "The store has the tables of a newer release than that of the workbench. Tell whoever runs it."
    ),
}
"""Sentences of the commands by their English text, and what a page says."""


def of_the_log(sentence: str) -> str:
    """Add to a sentence about a log of orders who can set what it names; the browser has no control for that.

    Examples
    --------
    >>> of_the_log("Write dates as 2011-01-31.")
    'Write dates as 2011-01-31.'
    >>> of_the_log("It takes --decimal ,.")[:78]
    'It takes --decimal ,. What begins with -- is set by whoever runs the workbench'
    """
    if not _FLAG.search(sentence):
        return sentence
    who = translated(
        "What begins with -- is set by whoever runs the workbench, under [log] or [columns] in stayworth.toml; or save "
        "the file so that it needs none."
    )
    return sentence if who in sentence else f"{sentence} {who}"


def findings_of_the_log(sentences: Sequence[str]) -> list[str]:
    """Add to the last of them that names what a page has no control for who can set it.

    Examples
    --------
    >>> [each[:58] for each in findings_of_the_log(["Take --decimal ,.", "All is well.", "Name --order-column."])]
    ['Take --decimal ,.', 'All is well.', 'Name --order-column. What begins with -- is set by whoever']
    """
    last = max((place for place, each in enumerate(sentences) if _FLAG.search(each)), default=None)
    return [of_the_log(each) if place == last else each for place, each in enumerate(sentences)]


@contextmanager
def about_the_log() -> Iterator[None]:
    """Say of errors inside who can set what they name."""
    try:
        yield
    except StayworthError as error:
        raise StayworthError(of_the_log(str(error))) from None
