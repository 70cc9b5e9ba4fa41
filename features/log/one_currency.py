"""The one currency of a log: as its column, the formats of a workbook or the caller say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LogError
from features.language import translated
from features.log.currencies import one_name, same_currency
from features.log.expression import amount_columns
from features.log.quarantine import OTHER_CURRENCY, Quarantine
from features.log.settings import LogRules
from features.log.workbook_remarks import currencies_of

NO_CURRENCY = "(none)"


def one_currency(
    quarantine: Quarantine, lines: pa.Table, names: dict[str, str], rules: LogRules
) -> str | None:
    """Keep the rows of the chosen currency; without a choice there may be only one.

    Without a column of currencies it is the one in which a workbook formats the amounts, if that is one.
    """
    if "currency" not in names:
        formats = currencies_of(quarantine.raw.schema, amount_columns(names, rules.amount_expression))
        shown = set(one_name(formats).values())
        return shown.pop().upper() if len(shown) == 1 else None
    if rules.currency is not None:
        set_other_currencies_aside(quarantine, lines, names["currency"], rules.currency)
        return rules.currency
    words = currency_words(lines)
    found = pc.value_counts(words.filter(pa.array(quarantine.used))).to_pylist()
    counts = {entry["values"]: entry["counts"] for entry in found}
    return the_currency(counts, words.unique().to_pylist(), names["currency"])


def currency_words(lines: pa.Table) -> pa.ChunkedArray:
    """Return the word for the currency of each line, in capitals, `NO_CURRENCY` where there is none."""
    return pc.fill_null(pc.utf8_upper(lines["currency"]), NO_CURRENCY)


def set_other_currencies_aside(quarantine: Quarantine, lines: pa.Table, name: str, currency: str) -> None:
    """Set aside the lines of another currency than the chosen one."""
    written = currency_words(lines).combine_chunks().dictionary_encode()
    words = written.dictionary.to_pylist()
    other = np.array([not same_currency(word, currency) for word in words], dtype=bool)
    quarantine.set_aside(other[written.indices.to_numpy()], OTHER_CURRENCY, name)


def the_currency(rows: Mapping[str, int], words: Sequence[str], column: str) -> str | None:
    """Return the one currency of a log; None where its cells are empty.

    Parameters
    ----------
    rows : mapping of word to number of used rows, as `currency_words` gives the words
    words : sequence of str, those of all rows
    column : str, the log's name of the column

    Raises
    ------
    LogError
        If there are several.
    """
    named, totals = one_name(words), Counter[str]()
    for word, count in rows.items():
        totals[named[word]] += count
    if len(totals) > 1:
        found = sorted(totals.items(), key=lambda entry: (-entry[1], entry[0]))
        raise LogError(
            translated(
                "The log mixes {n} currencies in {example!r}: {counts}.",
                n=len(found),
                example=column,
                counts=", ".join(f"{code} ({count:,} rows)" for code, count in found),
            ),
            translated(
                "Say which to use, such as --currency {named}; rows in others are then quarantined.",
                named=next(code for code, _ in found if code != NO_CURRENCY),
            ),
            translated("Send the amounts of one currency, that of the training log."),
        )
    only = next(iter(totals), NO_CURRENCY)
    return None if only == NO_CURRENCY else only
