"""Checks of how a log's customer ids are written: digits or characters lost, one customer under several ids."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from features.language import translatable, translated
from features.log.columns import quoted
from features.log.findings import Finding
from features.log.identity import SCIENTIFIC, examples, fold
from features.log.remedies import with_replaced
from features.log.settings import LogRules
from features.log.transactions import TransactionLog

_FEW_OF_ALL = 0.05
_MOST_PHONES = 0.8  # of the ids
_PHONE_DIGITS = 9  # of a number without the code of its country
_LONG = r"^[1-9][0-9]{15,}$"
_LONG_ROUNDED = r"^[1-9][0-9]{14}0+$"


def check_writing(log: TransactionLog, ids: pa.Array, rules: LogRules) -> Iterator[Finding]:
    """Look for ids that were merged or split by how they are written."""
    yield from _check_digits(ids)
    yield from _check_bytes(ids)
    yield from _check_phones(log, ids)
    yield from _check_zeros(log, ids)
    if not rules.fold_ids:
        yield from _check_similar(ids)


def _check_digits(ids: pa.Array) -> Iterator[Finding]:
    scientific = pc.match_substring_regex(ids, SCIENTIFIC)
    if pc.any(scientific).as_py():
        written = ids.filter(scientific)
        yield Finding(
            "scientific-ids",
            translated(
                "{n:id is|ids are} in scientific notation, such as {examples}: the last digits are lost, and different "
                "customers may have become one. Export the ids as text.",
                n=len(written),
                examples=examples(written.to_pylist()),
            ),
            fatal=True,
        )
    long = ids.filter(pc.match_substring_regex(ids, _LONG))
    rounded = pc.sum(pc.match_substring_regex(long, _LONG_ROUNDED)).as_py() or 0
    if len(long) >= 5 and rounded > 0.9 * len(long):
        yield Finding(
            "rounded-ids",
            translated(
                "{n:long id ends|long ids end} in zeros after 15 digits, such as {examples}: a spreadsheet has rounded "
                "them, and different customers may have become one. Export them as text.",
                n=rounded,
                examples=examples(long.to_pylist()),
            ),
            fatal=True,
        )


def _check_bytes(ids: pa.Array) -> Iterator[Finding]:
    """Look for ids with characters that are left over from a faulty export."""
    for pattern, said, name in (
        (
            r"[\x01-\x1f\x7f\x{ad}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}]",
            translatable(
                "{n:id holds|ids hold} control or invisible characters: {examples}. They match no other table; export "
                "the log again, or --fold-ids takes them out."
            ),
            "control-ids",
        ),
        (
            "\ufffd",
            translatable(
                "{n:id holds|ids hold} the mark of a character that was lost: {examples}. They match no other table; "
                "export the log again."
            ),
            "damaged-ids",
        ),
    ):
        odd = ids.filter(pc.match_substring_regex(ids, pattern))
        if len(odd):
            yield Finding(
                name,
                translated(said, n=len(odd), examples=examples(odd.to_pylist())),
                fatal=True,
            )


def _check_similar(ids: pa.Array) -> Iterator[Finding]:
    """Look for ids that are one customer's, written in several ways."""
    pointed = ids.filter(pc.match_substring_regex(ids, r"^[0-9]+\.0+$"))
    if len(pointed):
        whole = pc.replace_substring_regex(pointed, r"\.0+$", "")
        both = whole.filter(pc.is_in(whole, value_set=ids)).to_pylist()
        beside = (
            " " + translated("{n:,} of them stand beside {ids}.", n=len(both), ids=examples(both))
            if both
            else ""
        )
        yield Finding(
            "float-ids",
            translated(
                "{n:id ends|ids end} in .0, such as {examples}, for they were kept as floats. --fold-ids takes it off.",
                n=len(pointed),
                examples=examples(pointed.to_pylist()),
            )
            + beside,
            fatal=bool(both),
        )
    split = _written_in_several_ways(ids)
    if split and not len(pointed):
        yield Finding(
            "similar-ids",
            translated(
                "{n:id is|ids are} {few:,} if case, width, spaces, invisible characters and the forms of ی and ک do "
                "not count, such as {examples}. --fold-ids unites them.",
                n=sum(map(len, split)),
                few=len(split),
                examples=examples(split[0]),
            ),
        )


def _check_zeros(log: TransactionLog, ids: pa.Array) -> Iterator[Finding]:
    """Look for ids that are there with leading zeros and without: a spreadsheet saved a part of the rows."""
    padded = ids.filter(pc.match_substring_regex(ids, "^0+[1-9][0-9]*$"))
    if len(padded) < 2:
        return
    bare = pc.utf8_ltrim(padded, "0")
    twins = bare.filter(pc.is_in(bare, value_set=ids)).to_pylist()
    if len(twins) < 2 or len(twins) < _FEW_OF_ALL * len(padded):
        return
    column = quoted(log.names.get("customer_id", "customer_id"))
    zeros = f"regexp_replace({column}, '^0+([0-9]+)$', '\\1') AS {column}"
    yield Finding(
        "similar-ids",
        translated(
            "{n:id is|ids are} there with leading zeros and without them, such as {examples}: a spreadsheet takes them "
            "off, and a customer becomes two. If they are one, take them off throughout: {flag}.",
            n=len(twins),
            examples=examples([padded.filter(pc.equal(bare, twins[0]))[0].as_py(), twins[0]]),
            flag=with_replaced(zeros),
        ),
    )


def _check_phones(log: TransactionLog, ids: pa.Array) -> Iterator[Finding]:
    """Look for telephone numbers that are there with and without the code of their country."""
    looks = pc.match_substring_regex(ids, r"^(\+|0)[0-9 ()/.-]{7,}$")
    # Digits alone may be numbers of cards, which end alike.
    abroad = pc.match_substring_regex(ids, r"^\+[1-9]")
    if pc.sum(looks).as_py() < _MOST_PHONES * len(ids) or not pc.any(abroad).as_py():
        return
    bare = pc.utf8_slice_codeunits(
        pc.replace_substring_regex(ids.filter(looks), "[^0-9]", ""), -_PHONE_DIGITS
    )
    counts = bare.value_counts()
    twins = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    if len(twins) < 2:
        return
    column = quoted(log.names.get("customer_id", "customer_id"))
    alike = ids.filter(looks).filter(pc.equal(bare, twins[0])).to_pylist()
    digits = f"right(regexp_replace({column}, '[^0-9]', '', 'g'), {_PHONE_DIGITS}) AS {column}"
    yield Finding(
        "similar-ids",
        translated(
            "{n:telephone number is|telephone numbers are} there in several ways, such as {examples}, and one customer "
            "counts as several. {flag} takes the last {digits} digits for the customer.",
            n=len(twins),
            examples=examples(alike),
            flag=with_replaced(digits),
            digits=_PHONE_DIGITS,
        ),
    )


def _written_in_several_ways(ids: pa.Array) -> list[list[str]]:
    """Return the groups of ids that are the same when folded, in the order of their first ids."""
    folded = _folded(ids)
    counts = folded.value_counts()
    several = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    groups: dict[str, list[str]] = {}
    alike = pc.is_in(folded, value_set=several)
    for each, plain in zip(ids.filter(alike).to_pylist(), folded.filter(alike).to_pylist(), strict=True):
        groups.setdefault(plain, []).append(each)
    return list(groups.values())


def _folded(ids: pa.Array) -> pa.Array:
    """Fold every id; in one go as far as they are plain ASCII."""
    lower = pc.ascii_lower(pc.replace_substring_regex(ids, r"\s+", " "))
    simple = pc.match_substring_regex(ids, r"^[ -~]*$")
    odd = ids.filter(pc.invert(simple)).to_pylist()
    return pc.replace_with_mask(lower, pc.invert(simple), pa.array([fold(each) for each in odd], lower.type))
