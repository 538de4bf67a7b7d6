"""The expression language: text → tree. Grammar: Developer Guide, "Using expressions".

Trees are cached by text; `#name` and `:value` are put in later (`local.dynamodb.binding`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from local.dynamodb.errors import ValidationError

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<alias>#[A-Za-z0-9_]+)|(?P<value>:[A-Za-z0-9_]+)"
    r"|(?P<index>\d+)|(?P<operator><>|<=|>=|[=<>()\[\],.+-]))"
)
_RESERVED = frozenset(ReservedKeywords.get_reserved_keywords())
FUNCTIONS = {
    "attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2,
    "contains": 2, "size": 1, "if_not_exists": 2, "list_append": 2,
}  # fmt: skip
COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
MAX_EXPRESSION_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Path:
    """`a.#b[3]`: names (with `#` while unresolved) and list indexes."""

    parts: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`:value`."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between:
    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In:
    operand: Node
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node


@dataclass(frozen=True, slots=True)
class Both:
    """AND and OR."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Sum:
    """`a + b` and `a - b` on the right of SET."""

    operator: str
    left: Node
    right: Node


Node = Path | Placeholder | Call | Compare | Between | In | Not | Both | Sum


@dataclass(frozen=True, slots=True)
class Action:
    """One action of an update; `value` is None for REMOVE."""

    clause: str
    path: Path
    value: Node | None


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    start: int


class Reader:
    """Tokens of one expression, read from left to right."""

    def __init__(self, text: str, kind: str) -> None:
        self.text = text
        self.kind = kind
        if not text.strip():
            raise self.error("The expression can not be empty;")
        if len(text.encode()) > MAX_EXPRESSION_BYTES:
            raise self.error(
                "Expression size has exceeded the maximum allowed size; expression size: "
                f"{len(text.encode())}"
            )
        self._tokens = list(self._split())
        self._next = 0

    def error(self, message: str) -> ValidationError:
        return ValidationError(f"Invalid {self.kind}: {message}")

    def _split(self) -> list[Token]:
        tokens, position, text = [], 0, self.text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                bad = text[position:].lstrip()[0]
                near = text[max(0, position - 10) : position + 10]
                raise self.error(f'Syntax error; token: "{bad}", near: "{near}"')
            group = match.lastgroup
            tokens.append(Token(group, match.group(group), match.start(group)))
            position = match.end()
        return [*tokens, Token("end", "<EOF>", len(text))]

    @property
    def token(self) -> Token:
        return self._tokens[self._next]

    @property
    def following(self) -> Token:
        return self._tokens[min(self._next + 1, len(self._tokens) - 1)]

    def advance(self) -> Token:
        token = self.token
        self._next += 1
        return token

    def keyword(self, *words: str) -> str | None:
        """Consume the next token when it is one of the (upper-case) words."""
        if self.token.kind in ("name", "operator") and self.token.text.upper() in words:
            return self.advance().text.upper()
        return None

    def expect(self, text: str) -> None:
        if self.keyword(text) is None:
            raise self.syntax_error()

    def syntax_error(self) -> ValidationError:
        token = self.token
        near = self.text[max(0, token.start - 12) : token.start + len(token.text) + 12].strip()
        return self.error(f'Syntax error; token: "{token.text}", near: "{near}"')

    def finish(self) -> None:
        if self.token.kind != "end":
            raise self.syntax_error()

    def path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while True:
            if self.keyword("."):
                parts.append(self._name())
            elif self.keyword("["):
                if self.token.kind != "index":
                    raise self.syntax_error()
                parts.append(int(self.advance().text))
                self.expect("]")
            else:
                return Path(tuple(parts))

    def _name(self) -> str:
        if self.token.kind not in ("name", "alias"):
            raise self.syntax_error()
        token = self.advance()
        if token.kind == "name" and token.text.upper() in _RESERVED:
            raise self.error(
                f"Attribute name is a reserved keyword; reserved keyword: {token.text}"
            )
        return token.text

    def operand(self) -> Node:
        if self.token.kind == "value":
            return Placeholder(self.advance().text)
        if self.token.kind == "name" and self.following.text == "(":
            return self._call()
        return self.path()

    def _call(self) -> Call:
        name = self.advance().text
        if name not in FUNCTIONS:
            raise self.error(f"Invalid function name; function: {name}")
        self.expect("(")
        arguments = [self.operand()]
        while self.keyword(","):
            arguments.append(self.operand())
        self.expect(")")
        if len(arguments) != FUNCTIONS[name]:
            raise self.error(
                "Incorrect number of operands for operator or function; operator or function: "
                f"{name}, number of operands: {len(arguments)}"
            )
        return Call(name, tuple(arguments))


@lru_cache(maxsize=1024)
def condition(text: str, kind: str = "ConditionExpression") -> Node:
    reader = Reader(text, kind)
    tree = _disjunction(reader)
    reader.finish()
    return tree


def _disjunction(reader: Reader) -> Node:
    tree = _conjunction(reader)
    while reader.keyword("OR"):
        tree = Both("OR", tree, _conjunction(reader))
    return tree


def _conjunction(reader: Reader) -> Node:
    tree = _negation(reader)
    while reader.keyword("AND"):
        tree = Both("AND", tree, _negation(reader))
    return tree


def _negation(reader: Reader) -> Node:
    if reader.keyword("NOT"):
        return Not(_negation(reader))
    if reader.keyword("("):
        tree = _disjunction(reader)
        reader.expect(")")
        return tree
    return _test(reader)


def _test(reader: Reader) -> Node:
    left = reader.operand()
    if operator := reader.keyword(*COMPARATORS):
        return Compare(operator, left, reader.operand())
    if reader.keyword("BETWEEN"):
        low = reader.operand()
        reader.expect("AND")
        return Between(left, low, reader.operand())
    if reader.keyword("IN"):
        reader.expect("(")
        options = [reader.operand()]
        while reader.keyword(","):
            options.append(reader.operand())
        reader.expect(")")
        return In(left, tuple(options))
    if isinstance(left, Call) and left.function not in ("size", "if_not_exists", "list_append"):
        return left
    raise reader.syntax_error()


@lru_cache(maxsize=1024)
def update(text: str) -> tuple[Action, ...]:
    reader = Reader(text, "UpdateExpression")
    actions: list[Action] = []
    seen: set[str] = set()
    while clause := reader.keyword("SET", "REMOVE", "ADD", "DELETE"):
        if clause in seen:
            raise reader.error(
                f'The "{clause}" section can only be used once in an update expression;'
            )
        seen.add(clause)
        actions.append(_action(reader, clause))
        while reader.keyword(","):
            actions.append(_action(reader, clause))
    reader.finish()
    return tuple(actions)


def _action(reader: Reader, clause: str) -> Action:
    path = reader.path()
    if clause == "REMOVE":
        return Action(clause, path, None)
    if clause == "SET":
        reader.expect("=")
        return Action(clause, path, _set_value(reader))
    return Action(clause, path, reader.operand())


def _set_value(reader: Reader) -> Node:
    if reader.keyword("("):
        tree = _set_value(reader)
        reader.expect(")")
    else:
        tree = reader.operand()
    if operator := reader.keyword("+", "-"):
        return Sum(operator, tree, reader.operand())
    return tree


@lru_cache(maxsize=1024)
def projection(text: str) -> tuple[Path, ...]:
    reader = Reader(text, "ProjectionExpression")
    paths = [reader.path()]
    while reader.keyword(","):
        paths.append(reader.path())
    reader.finish()
    return tuple(paths)
