"""Expressions of SQL, and how they are printed in the house style: on one line if they fit, else over several."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 110
"""The most characters in a line. sqlfluff allows 120; a Jinja call may become longer than it is written."""

STEP = 4
OR, AND, NOT, COMPARISON, JOINED, SUM, PRODUCT, UNIT = range(8)
"""How strongly operators bind, weakest first. `||` is weaker than `+` in some engines: it is put in brackets."""

OPERATORS = {
    "or": OR, "and": AND, "=": COMPARISON, "<>": COMPARISON, "<": COMPARISON, "<=": COMPARISON, ">": COMPARISON,
    ">=": COMPARISON, "like": COMPARISON, "not like": COMPARISON, "||": JOINED, "+": SUM, "-": SUM, "*": PRODUCT,
    "/": PRODUCT,
}  # fmt: skip
JINJA_START, JINJA_END = "{{ ", " }}"


class TooLongError(Exception):
    """A part of an expression that cannot be broken does not fit into a line."""


@dataclass(frozen=True)
class Term:
    """One expression. `kind` is its type, empty if it is not known."""

    kind: str

    @property
    def strength(self) -> int:
        return UNIT

    def flat(self) -> str:
        raise NotImplementedError

    def broken(self, indent: int, after: str) -> list[str]:  # noqa: ARG002
        """The lines of the expression and the text after it, without the indent of the first."""
        raise TooLongError(self.flat())


@dataclass(frozen=True)
class Word(Term):
    """A column or a literal."""

    text: str

    def flat(self) -> str:
        return self.text


@dataclass(frozen=True)
class ColumnTerm(Term):
    """A column of a table. In a statement that reads several tables it is printed with its table."""

    table: str
    column: str
    is_qualified: bool

    def flat(self) -> str:
        return f"{self.table}.{self.column}" if self.is_qualified else self.column


@dataclass(frozen=True)
class Call(Term):
    """A function with its arguments."""

    name: str
    arguments: tuple[Term, ...]
    before: str = ""

    def flat(self) -> str:
        return f"{self.name}({self.before}{', '.join(each.flat() for each in self.arguments)})"

    def broken(self, indent: int, after: str) -> list[str]:
        lines = [f"{self.name}({self.before.rstrip()}"]
        for number, each in enumerate(self.arguments):
            comma = "," if number < len(self.arguments) - 1 else ""
            lines += layout(each, indent + STEP, "", comma)
        return [*lines, " " * indent + ")" + after]


@dataclass(frozen=True)
class Extract(Term):
    """A part of a date."""

    part: str
    of: Term

    def flat(self) -> str:
        return f"extract({self.part} from {self.of.flat()})"


@dataclass(frozen=True)
class Cast(Term):
    """A value as another type."""

    of: Term
    sql_type: str

    def flat(self) -> str:
        return f"cast({self.of.flat()} as {self.sql_type})"

    def broken(self, indent: int, after: str) -> list[str]:
        inner = " " * (indent + STEP)
        return [
            "cast(",
            *layout(self.of, indent + STEP, "", ""),
            f"{inner}as {self.sql_type}",
            " " * indent + ")" + after,
        ]


@dataclass(frozen=True)
class Jinja(Term):
    """A macro of dbt that writes the SQL of each engine; its arguments are SQL or words."""

    macro: str
    arguments: tuple[Term | str, ...]

    def flat(self) -> str:
        return f"{JINJA_START}{self.macro}({', '.join(_quoted(each) for each in self.arguments)}){JINJA_END}"

    def broken(self, indent: int, after: str) -> list[str]:
        inner = [f"{' ' * (indent + STEP)}{_quoted(each)}," for each in self.arguments]
        if max(map(len, inner)) > WIDTH:
            raise TooLongError(self.flat())
        return [f"{JINJA_START}{self.macro}(", *inner, f"{' ' * indent}){JINJA_END}{after}"]


@dataclass(frozen=True)
class Chain(Term):
    """Operands with one operator between them, such as `a and b and c`."""

    operator: str
    operands: tuple[Term, ...]

    @property
    def strength(self) -> int:
        return OPERATORS[self.operator]

    def _parts(self) -> list[Term]:
        first, *others = self.operands
        left = self.strength + (self.strength == COMPARISON)
        right = self.strength + (self.operator not in ("and", "or", "||"))
        return [_within(first, left), *(_within(each, right) for each in others)]

    def flat(self) -> str:
        return f" {self.operator} ".join(each.flat() for each in self._parts())

    def broken(self, indent: int, after: str) -> list[str]:
        first, *others = self._parts()
        lines = layout(first, indent, "", "")
        for number, each in enumerate(others):
            lines += layout(each, indent, f"{self.operator} ", after if number == len(others) - 1 else "")
        return [lines[0].lstrip(), *lines[1:]]


@dataclass(frozen=True)
class Bracketed(Term):
    """An expression in brackets."""

    of: Term

    def flat(self) -> str:
        return f"({self.of.flat()})"

    def broken(self, indent: int, after: str) -> list[str]:
        return ["(", *layout(self.of, indent + STEP, "", ""), " " * indent + ")" + after]


@dataclass(frozen=True)
class Prefixed(Term):
    """`not a`, `-a`."""

    operator: str
    of: Term

    @property
    def strength(self) -> int:
        return NOT if self.operator == "not " else PRODUCT

    def flat(self) -> str:
        return f"{self.operator}{_within(self.of, self.strength + 1).flat()}"

    def broken(self, indent: int, after: str) -> list[str]:
        lines = layout(_within(self.of, self.strength + 1), indent, self.operator, after)
        return [lines[0].lstrip(), *lines[1:]]


@dataclass(frozen=True)
class Followed(Term):
    """`a is not null`, `a between 1 and 2`, `a in (1, 2)`: an operand, and what is said of it."""

    of: Term
    said: str
    others: tuple[Term, ...] = ()

    @property
    def strength(self) -> int:
        return COMPARISON

    def _parts(self) -> tuple[str, list[str]]:
        return _within(self.of, COMPARISON + 1).flat(), [_within(each, COMPARISON + 1).flat() for each in self.others]

    def flat(self) -> str:
        operand, others = self._parts()
        if self.said.endswith("between"):
            return f"{operand} {self.said} {others[0]} and {others[1]}"
        return f"{operand} {self.said}" + (f" ({', '.join(others)})" if others else "")

    def broken(self, indent: int, after: str) -> list[str]:
        operand, others = self._parts()
        if self.said.endswith("between") and len(operand) + indent <= WIDTH:
            second = f"{' ' * indent}{self.said} {others[0]} and {others[1]}"
            if len(second + after) <= WIDTH:
                return [operand, second + after]
        if not self.said.endswith("in"):
            raise TooLongError(self.flat())
        inner = " " * (indent + STEP)
        listed = [f"{inner}{each}{',' if n < len(others) - 1 else ''}" for n, each in enumerate(others)]
        return [f"{operand} {self.said} (", *listed, " " * indent + ")" + after]


@dataclass(frozen=True)
class Case(Term):
    """`case when a then b else c end`; with an operand, `case a when 1 then b end`."""

    whens: tuple[tuple[Term, Term], ...]
    otherwise: Term | None
    operand: Term | None = None

    def flat(self) -> str:
        start = f"case {self.operand.flat()}" if self.operand else "case"
        whens = "".join(f" when {when.flat()} then {then.flat()}" for when, then in self.whens)
        end = f" else {self.otherwise.flat()}" if self.otherwise else ""
        return f"{start}{whens}{end} end"

    def broken(self, indent: int, after: str) -> list[str]:
        lines = [f"case {self.operand.flat()}" if self.operand else "case"]
        inner = indent + STEP
        for when, then in self.whens:
            together = " " * inner + f"when {when.flat()} then {then.flat()}"
            if len(together) <= WIDTH:
                lines.append(together)
                continue
            lines += layout_block(when, inner, "when")
            lines += layout_block(then, inner + STEP, "then")
        if self.otherwise:
            lines += layout_block(self.otherwise, inner, "else")
        return [*lines, " " * indent + "end" + after]


@dataclass(frozen=True)
class Over(Term):
    """A function over the rows of a key, in an order."""

    call: Term
    per: tuple[Term, ...]
    by: tuple[tuple[Term, bool], ...]
    frame: str

    def _clauses(self) -> list[str]:
        clauses = [f"partition by {', '.join(each.flat() for each in self.per)}"] if self.per else []
        # Directions stand with all columns or with none. Without `nulls last`, engines differ.
        ascending = " asc" if any(is_descending for _, is_descending in self.by) else ""
        order = [f"{each.flat()}{' desc' if down else ascending} nulls last" for each, down in self.by]
        clauses += [f"order by {', '.join(order)}"] if order else []
        return clauses + ([self.frame] if self.frame else [])

    def flat(self) -> str:
        return f"{self.call.flat()} over ({' '.join(self._clauses())})"

    def broken(self, indent: int, after: str) -> list[str]:
        inner = " " * (indent + STEP)
        clauses = [inner + " " * STEP + clause for clause in self._clauses()]
        if max(map(len, clauses)) > WIDTH:
            raise TooLongError(self.flat())
        lines = layout(self.call, indent, "", "")
        return [lines[0].lstrip(), *lines[1:], f"{inner}over (", *clauses, f"{inner}){after}"]


def layout(term: Term, indent: int, before: str, after: str) -> list[str]:
    """The lines of an expression between two texts: one, if it fits."""
    line = " " * indent + before + term.flat() + after
    if len(line) <= WIDTH:
        return [line]
    first, *others = term.broken(indent, after)
    return [" " * indent + before + first, *others]


def layout_block(term: Term, indent: int, word: str) -> list[str]:
    """`where a`, or `where` and the expression below it."""
    line = " " * indent + f"{word} {term.flat()}"
    if len(line) <= WIDTH:
        return [line]
    return [" " * indent + word, *layout(term, indent + STEP, "", "")]


def _within(term: Term, strength: int) -> Term:
    return Bracketed(term.kind, term) if term.strength < strength else term


def _quoted(argument: Term | str) -> str:
    """A text of Jinja. A macro's call inside it stays a call: `'cast(a as ' ~ dbt.type_string() ~ ')'`."""
    if isinstance(argument, str):
        return f"'{argument}'"
    parts = argument.flat().replace(JINJA_END, JINJA_START).split(JINJA_START)
    texts = [_text(part) if number % 2 == 0 else part for number, part in enumerate(parts)]
    return " ~ ".join(text for text in texts if text != "''")


def _text(part: str) -> str:
    escaped = part.replace('"', '\\"')
    return f'"{escaped}"' if "'" in part else f"'{part}'"
