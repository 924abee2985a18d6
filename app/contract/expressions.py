"""Expressions over fields: read, checked and written out again as Python that only this module wrote.

    0 if missing(income) else income
    min(debt, 10) * `a name that is no identifier`
    purpose == "car"

Arithmetic (+ - * /), comparisons, and, or, not, in, min, max, missing and the conditional `a if b else c`; numbers,
texts in quotes and fields, whose names stand in backticks where they are no identifiers. What is computed with a
missing value is missing, and so is what is divided by zero; a comparison with it is false.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.contract.fields import Field

LONGEST = 500
"""Characters."""

TOKENS = re.compile(r"\"[^\"]*\"|'[^']*'|`([^`]*)`")
PLACE = "__field_{}__"

ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
FUNCTIONS = {"min": "low", "max": "high"}


class ExpressionInvalid(ValueError):
    """Says what is wrong in an expression."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression, written out for one vector and for many at once.

    Both are Python over `f`, a sequence of the fields' values or of their columns, and the functions of
    `app.contract.compiling`.
    """

    kind: Literal["number", "condition", "category", "text"]
    one: str
    many: str
    field: Field | None = None
    """Of a category, and of a number that is a field and nothing more."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read."""

    root: Part
    reads: frozenset[str]
    """Names of the fields."""


def parse(text: str, fields: Mapping[str, tuple[int, Field]]) -> Expression:
    """fields: by name, with their places in the vector. Raises ExpressionInvalid."""
    return _Reader(text, fields).read()


class _Reader:
    def __init__(self, text: str, fields: Mapping[str, tuple[int, Field]]) -> None:
        self._text = text
        self._fields = fields
        self._quoted: dict[str, str] = {}
        self._reads: set[str] = set()

    def read(self) -> Expression:
        if len(self._text) > LONGEST:
            raise ExpressionInvalid(f"it is longer than {LONGEST} characters")
        source = TOKENS.sub(self._placed, " ".join(self._text.split()))
        try:
            tree = ast.parse(source, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise ExpressionInvalid(f"{self._text!r} is no expression") from error
        try:
            return Expression(self._part(tree.body), frozenset(self._reads))
        except RecursionError as error:
            raise ExpressionInvalid("it is nested too deeply") from error

    def _placed(self, token: re.Match[str]) -> str:
        if token[1] is None:
            return token[0]
        name = PLACE.format(len(self._quoted))
        self._quoted[name] = token[1]
        return name

    def _part(self, node: ast.expr) -> Part:
        found = self._simple(node) or self._logical(node) or self._numeric(node)
        if found is None:
            raise ExpressionInvalid(
                f"{self._shown(node)} cannot stand in an expression; allowed are + - * /, comparisons, and, or,"
                " not, in, min, max, missing and a if b else c"
            )
        return found

    def _simple(self, node: ast.expr) -> Part | None:
        match node:
            case ast.Constant(value=bool()):
                raise ExpressionInvalid("True and False are no values here; write a comparison")
            case ast.Constant(value=int() | float() as value):
                number = repr(float(value))
                return Part("number", number, number)
            case ast.Constant(value=str() as text):
                return Part("text", "", "", text=text)
            case ast.Name(id=name):
                return self._field(self._quoted.get(name, name))
        return None

    def _logical(self, node: ast.expr) -> Part | None:
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _negated(self._condition(operand))
            case ast.BoolOp(op=operator, values=values):
                return _joined([self._condition(each) for each in values], isinstance(operator, ast.And))
            case ast.Compare(left=left, ops=operators, comparators=others):
                pairs = zip([left, *others], operators, others, strict=False)
                return _joined([self._compared(*pair) for pair in pairs], True)
            case ast.Call(func=ast.Name(id="missing"), args=[argument], keywords=[]):
                part = self._of_kind(argument, ("number", "category"), "field or number")
                return Part("condition", f"({part.one} != {part.one})", f"({part.many} != {part.many})")
        return None

    def _numeric(self, node: ast.expr) -> Part | None:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                part = self._number(operand)
                return Part("number", f"(-{part.one})", f"(-{part.many})")
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._call("divide", [left, right])
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in ARITHMETIC:
                sign, one, other = ARITHMETIC[type(operator)], self._number(left), self._number(right)
                return Part("number", f"({one.one} {sign} {other.one})", f"({one.many} {sign} {other.many})")
            case ast.IfExp(test=test, body=body, orelse=orelse):
                when, then, other = self._condition(test), self._number(body), self._number(orelse)
                chosen = f"where({when.many}, {then.many}, {other.many})"
                return Part("number", f"({then.one} if {when.one} else {other.one})", chosen)
            case ast.Call(func=ast.Name(id=name), args=[_, _, *_] as arguments, keywords=[]) if name in FUNCTIONS:
                return self._call(FUNCTIONS[name], arguments)
        return None

    def _field(self, name: str) -> Part:
        if name not in self._fields:
            raise ExpressionInvalid(f"{name!r} is no field; a name that is no identifier stands in backticks")
        place, field = self._fields[name]
        self._reads.add(name)
        return Part("category" if field.type == "category" else "number", f"f[{place}]", f"f[{place}]", field)

    def _call(self, function: str, arguments: list[ast.expr]) -> Part:
        parts = [self._number(argument) for argument in arguments]
        one, many = parts[0].one, parts[0].many
        for part in parts[1:]:
            one, many = f"{function}({one}, {part.one})", f"{function}({many}, {part.many})"
        return Part("number", one, many)

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Part:
        if isinstance(operator, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
                raise ExpressionInvalid("after in stand values in parentheses, as in (96, 98)")
            found = _joined([self._compared(left, ast.Eq(), each) for each in right.elts], False)
            return found if isinstance(operator, ast.In) else _negated(found)
        sign = COMPARISONS.get(type(operator))
        if sign is None:
            raise ExpressionInvalid("only < <= > >= == != and in compare")
        one, other = self._part(left), self._part(right)
        if "category" in (one.kind, other.kind):
            one, other = _coded(one, other), _coded(other, one)
            if sign not in ("==", "!="):
                raise ExpressionInvalid("categories have no order; compare them by == or !=")
        elif (one.kind, other.kind) != ("number", "number"):
            raise ExpressionInvalid("only numbers compare with numbers, and categories with texts in quotes")
        # A missing value differs from nothing, as it equals nothing.
        signs = ("<", ">") if sign == "!=" else (sign,)
        return _joined([_comparison(one, each, other) for each in signs], False)

    def _number(self, node: ast.expr) -> Part:
        return self._of_kind(node, ("number",), "number")

    def _condition(self, node: ast.expr) -> Part:
        return self._of_kind(node, ("condition",), "condition")

    def _of_kind(self, node: ast.expr, kinds: tuple[str, ...], wanted: str) -> Part:
        part = self._part(node)
        if part.kind not in kinds:
            raise ExpressionInvalid(f"{self._shown(node)} is a {part.kind} where a {wanted} is needed")
        return part

    def _shown(self, node: ast.expr) -> str:
        shown = ast.unparse(node)
        for place, name in self._quoted.items():
            shown = shown.replace(place, f"`{name}`")
        return shown


def _comparison(one: Part, sign: str, other: Part) -> Part:
    return Part("condition", f"({one.one} {sign} {other.one})", f"({one.many} {sign} {other.many})")


def _joined(parts: list[Part], every: bool) -> Part:
    if len(parts) == 1:
        return parts[0]
    one, many = (" and ", " & ") if every else (" or ", " | ")
    return Part("condition", f"({one.join(it.one for it in parts)})", f"({many.join(it.many for it in parts)})")


def _negated(part: Part) -> Part:
    return Part("condition", f"(not {part.one})", f"opposite({part.many})")


def _coded(part: Part, beside: Part) -> Part:
    """A text beside a category as that category's code."""
    if part.kind == "category":
        return part
    if part.kind != "text" or beside.field is None:
        raise ExpressionInvalid("a category compares with a text in quotes")
    if part.text not in beside.field.values:
        raise ExpressionInvalid(
            f"{part.text!r} is no value of {beside.field.name}; there are {', '.join(beside.field.values)}"
        )
    code = repr(float(beside.field.values.index(part.text)))
    return Part("number", code, code)
