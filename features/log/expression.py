"""Amount expressions: formulas over a log's columns, such as ``Quantity * "Unit Price"``.

Arithmetic, ``coalesce``, and ``CASE`` with comparisons, as in SQL; nothing else can be written. What SQL writes
otherwise than Python is translated token by token, and the rest is parsed by Python's own grammar and evaluated on
whole columns.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LogError

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: pc.add,
    ast.Sub: pc.subtract,
    ast.Mult: pc.multiply,
    ast.Div: pc.divide,
    ast.USub: pc.negate,
    ast.UAdd: lambda operand: operand,
    ast.Eq: pc.equal,
    ast.NotEq: pc.not_equal,
    ast.Lt: pc.less,
    ast.LtE: pc.less_equal,
    ast.Gt: pc.greater,
    ast.GtE: pc.greater_equal,
    ast.And: pc.and_kleene,
    ast.Or: pc.or_kleene,
    ast.Not: pc.invert,
}
_IN = (ast.In, ast.NotIn)
_LARGEST = 10**300  # the largest double has 309 digits; a longer whole number cannot become one
_COALESCE, _CASE, _TEXT = "coalesce", "case", "text"
_WORDS = {"and": " and ", "or": " or ", "not": " not ", "in": " in ", "null": " None ", "coalesce": _COALESCE}
_LONGEST = 500  # nodes, so that evaluation, which is recursive, stays within Python's stack


@dataclass(frozen=True)
class AmountExpression:
    """A formula over the log's columns.

    Names of columns, in double quotes where they are no identifiers; numbers; ``+ - * /`` and parentheses;
    ``coalesce(a, b)``, the first that is not empty; ``CASE WHEN status = 'refunded' THEN 0 ELSE total END`` with
    ``= <> < <= > >= IN AND OR NOT`` and texts in single quotes.

    Examples
    --------
    >>> formula = AmountExpression.parse('Quantity * "Unit Price"')
    >>> formula.columns
    ('Quantity', 'Unit Price')
    >>> log = {"Quantity": pa.chunked_array([[3.0, None]]), "Unit Price": pa.chunked_array([[0.5, 1.0]])}
    >>> formula.evaluate(log).to_pylist()
    [1.5, None]
    >>> formula = AmountExpression.parse("CASE WHEN kind IN ('refund') THEN -coalesce(back, 0) ELSE paid END")
    >>> numbers = {"back": pa.chunked_array([[None, 2.0, None]]), "paid": pa.chunked_array([[5.0, 7.0, 9.0]])}
    >>> formula.evaluate(numbers, {"kind": pa.chunked_array([["sale", "refund", "refund"]])}).to_pylist()
    [5.0, -2.0, -0.0]
    """

    body: ast.expr
    columns: tuple[str, ...]

    @classmethod
    def parse(cls, expression: str) -> AmountExpression:
        """Read a formula.

        Raises
        ------
        LogError
            If it holds anything else, or names no column.
        """
        try:
            body = ast.parse("".join(_as_python(expression.strip())).strip(), mode="eval").body
            sound = len(list(ast.walk(body))) <= _LONGEST and _kind(body) == "number"
        except (SyntaxError, ValueError, MemoryError, RecursionError, tokenize.TokenError, IndexError):
            raise cls._unreadable(expression) from None
        columns = tuple(dict.fromkeys(_column_names(body)))
        if not sound or not columns:
            raise cls._unreadable(expression)
        return cls(body, columns)

    @property
    def amounts(self) -> tuple[str, ...]:
        """The columns that are read as numbers; the others are only compared with texts."""
        return tuple(dict.fromkeys(_of_amounts(self.body))) or self.columns

    @staticmethod
    def _unreadable(expression: str) -> LogError:
        return LogError(
            f"The amount expression {expression!r} cannot be read. It may hold column names (in double quotes where "
            "they have spaces), numbers, + - * / and parentheses, coalesce(a, b) and CASE WHEN status = 'refunded' "
            "THEN a ELSE b END. For example: --amount-expression 'Quantity * \"Unit Price\"'."
        )

    def evaluate(
        self, numbers: Mapping[str, pa.ChunkedArray], texts: Mapping[str, pa.ChunkedArray] | None = None
    ) -> pa.ChunkedArray:
        """Compute the formula; null where one of its columns is null, infinite or NaN after a division by 0.

        Parameters
        ----------
        numbers : mapping of column name to pyarrow.ChunkedArray of double
        texts : mapping of column name to pyarrow.ChunkedArray of string, for comparisons with texts
        """
        return _Evaluation(numbers, texts or {}).value(self.body)


@dataclass(frozen=True)
class _Evaluation:
    numbers: Mapping[str, pa.ChunkedArray]
    texts: Mapping[str, pa.ChunkedArray]

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.BinOp(left, op, right):
                return _OPERATORS[type(op)](self.value(left), self.value(right))
            case ast.UnaryOp(op, operand):
                return _OPERATORS[type(op)](self.value(operand))
            case ast.BoolOp(op, values):
                return reduce(_OPERATORS[type(op)], map(self.value, values))
            case ast.Compare(left, ops, others):
                sides = [left, *others]
                pairs = zip(sides[:-1], ops, sides[1:], strict=True)
                return reduce(pc.and_kleene, (self._compared(*pair) for pair in pairs))
            case ast.Call(ast.Name("coalesce"), arguments):
                return pc.coalesce(*map(self.value, arguments))
            case ast.Call(ast.Name("case"), arguments):
                return self._case(arguments)
            case ast.Name(str(name)) | ast.Constant(str(name)):
                return self.numbers[name]
            case ast.Constant(int(number) | float(number)):
                return pa.scalar(float(number))
            case ast.Constant(None):
                return pa.scalar(None, pa.float64())
        raise AssertionError(f"parse() let {ast.dump(node)} pass")

    def _case(self, arguments: list[ast.expr]) -> Any:
        """Take conditions and values in turn, and a value for none of them at the end."""
        result = self.value(arguments[-1])
        for condition, value in reversed(list(zip(arguments[:-1:2], arguments[1:-1:2], strict=True))):
            holds = pc.fill_null(self.value(condition), False)
            result = pc.if_else(holds, self.value(value), result)
        return result

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(op, _IN):
            members = right.elts if isinstance(right, ast.Tuple) else [right]
            found = reduce(pc.or_kleene, (self._compared(left, ast.Eq(), each) for each in members))
            return pc.invert(found) if isinstance(op, ast.NotIn) else found
        if _text_of(left) is not None or _text_of(right) is not None:
            return _OPERATORS[type(op)](self._as_text(left), self._as_text(right))
        return _OPERATORS[type(op)](self.value(left), self.value(right))

    def _as_text(self, node: ast.expr) -> Any:
        written = _text_of(node)
        return pa.scalar(written) if written is not None else pc.fill_null(self.texts[_name_of(node)], "")


def _as_python(expression: str) -> Iterator[str]:
    """Translate what SQL writes otherwise: CASE becomes a call, a text one too, for double quotes name columns."""
    whens: list[int] = []
    elses: list[bool] = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(expression.replace("\n", " ")).readline):
        word, before, last = token.string.lower(), token.string, before
        if token.type == tokenize.STRING and token.string.startswith("'"):
            yield f"{_TEXT}({token.string})"
        elif token.type == tokenize.NAME and word == "case":
            whens.append(0)
            elses.append(False)
            yield f"{_CASE}("
        elif token.type == tokenize.NAME and word == "when":
            whens[-1] += 1
            yield "," if whens[-1] > 1 else ""
        elif token.type == tokenize.NAME and word in ("then", "else") and whens:
            elses[-1] = word == "else"
            yield ","
        elif token.type == tokenize.NAME and word == "end" and whens:
            whens.pop()
            yield ")" if elses.pop() else ",None)"
        elif token.string == ">" and last == "<":  # which has been written already
            yield ""
        elif token.string in ("=", "<>") or (
            token.string == "<" and token.line[token.end[1] :].startswith(">")
        ):
            yield "==" if token.string == "=" else "!="
        elif token.type == tokenize.NAME:
            yield _WORDS.get(word, f" {token.string} ")
        else:
            yield token.string


def _column_names(node: ast.AST) -> Iterator[str]:
    if _text_of(node) is not None:
        return
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Call):
        for argument in node.args:
            yield from _column_names(argument)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _column_names(child)


def _of_amounts(node: ast.AST) -> Iterator[str]:
    """Yield the columns that stand elsewhere than in a comparison with texts."""
    if isinstance(node, ast.Compare) and any(_text_of(each) is not None for each in ast.walk(node)):
        return
    if isinstance(node, ast.Name | ast.Constant) or _text_of(node) is not None:
        yield from _column_names(node)
        return
    for child in node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node):
        yield from _of_amounts(child)


def _text_of(node: ast.AST) -> str | None:
    """Return the text that a node stands for; None for anything else."""
    match node:
        case ast.Call(ast.Name("text"), [ast.Constant(str(written))]):
            return written
    return None


def _name_of(node: ast.AST) -> str:
    (name,) = _column_names(node)
    return name


def _kind(node: ast.AST) -> str:
    """Return whether a node is a number, a truth or a text.

    Raises
    ------
    ValueError
        If it is nothing that a formula may hold, or its parts do not go together.
    """
    match node:
        case ast.Call(ast.Name("text"), [ast.Constant(str())], []):
            return "text"
        case ast.Name() | ast.Constant(str() | float() | None):
            return "number"
        case ast.Constant(int(number)) if type(number) is int and number < _LARGEST:
            return "number"
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            return _all("number", left, right)
        case ast.UnaryOp(ast.Not(), operand):
            return _all("truth", operand)
        case ast.UnaryOp(op, operand) if type(op) in _OPERATORS:
            return _all("number", operand)
        case ast.BoolOp(_, values):
            return _all("truth", *values)
        case ast.Compare(left, ops, others):
            return _comparison(left, ops, others)
        case ast.Call(ast.Name("coalesce"), [_, *_] as arguments, []):
            return _all("number", *arguments)
        case ast.Call(ast.Name("case"), [_, _, _, *_] as arguments, []) if len(arguments) % 2:
            _all("truth", *arguments[:-1:2])
            return _all("number", *arguments[1:-1:2], arguments[-1])
    raise ValueError(ast.dump(node))


def _all(kind: str, *nodes: ast.AST) -> str:
    if any(_kind(node) != kind for node in nodes):
        raise ValueError(kind)
    return kind


def _comparison(left: ast.AST, ops: list[ast.cmpop], others: list[ast.expr]) -> str:
    sides: list[ast.AST] = [left]
    for op, other in zip(ops, others, strict=True):
        if type(op) not in _OPERATORS and not isinstance(op, _IN):
            raise ValueError(ast.dump(op))
        sides += other.elts if isinstance(op, _IN) and isinstance(other, ast.Tuple) else [other]
    kinds = set(map(_kind, sides))
    columns = all(_text_of(side) is not None or isinstance(side, ast.Name | ast.Constant) for side in sides)
    if "truth" in kinds or ("text" in kinds and not columns):
        raise ValueError("comparison")
    return "truth"


def amount_columns(names: Mapping[str, str], expression: str | None) -> tuple[str, ...]:
    """Return the raw log's columns that the amounts come from."""
    return (
        (names.get("amount", "amount"),) if expression is None else AmountExpression.parse(expression).columns
    )
