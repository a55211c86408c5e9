"""Reads a statement's words, names and lists. Leaves all other parsing to Trino."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot.dialects.trino import Trino
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

LEADING_COMMENTS = re.compile(r"\s*(?:--[^\n]*(?:\n|\Z)|/\*.*?\*/)*\s*", re.DOTALL)
UTILITY = ("SHOW", "DESCRIBE", "DESC", "EXPLAIN")
DDL = ("CREATE", "ALTER", "DROP", "MSCK")
QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "(")
OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET)


class AthenaError(Exception):
    """Athena's error for a statement that it refuses to run."""


class _Dialect(Trino):
    """Trino's tokens, and names in backticks, which Athena accepts in DDL."""

    class Tokenizer(Trino.Tokenizer):
        IDENTIFIERS = ('"', "`")
        # No command keywords: sqlglot would read everything after SHOW or OPTIMIZE as one string.
        COMMANDS = frozenset[TokenType]()


@dataclass(frozen=True)
class TableName:
    """A table's database and name, in lower case as in Glue."""

    database: str
    table: str

    def __str__(self) -> str:
        return f"{self.database}.{self.table}"

    def on(self, catalog: str) -> str:
        """The quoted name of the table in one of Trino's catalogs."""
        return f'"{catalog}"."{self.database}"."{self.table}"'


@dataclass
class Statement:
    """One statement, and the position up to which it has been read."""

    sent: str
    database: str
    at: int = field(default=0, init=False)

    @cached_property
    def comments(self) -> str:
        """The text before the statement."""
        return LEADING_COMMENTS.match(self.sent)[0]  # type: ignore[index]

    @cached_property
    def sql(self) -> str:
        """The statement without the comments before it and the semicolon after it."""
        return self.sent[len(self.comments) :].rstrip().rstrip(";").rstrip()

    @cached_property
    def first_word(self) -> str:
        """The first word, in upper case; `(` for a query in parentheses."""
        found = re.match(r"\w+|\(", self.sql)
        return found[0].upper() if found else ""

    @cached_property
    def tokens(self) -> list[Token]:
        """All words of the statement."""
        try:
            return _Dialect().tokenize(self.sql)
        except TokenError as error:
            raise AthenaError(f"SYNTAX_ERROR: {error}") from error

    @property
    def is_query(self) -> bool:
        """Whether it returns rows and changes nothing."""
        return self.first_word in QUERIES

    @property
    def kind(self) -> str:
        """Athena's StatementType. A CREATE TABLE AS SELECT is DML, because what it reads is billed."""
        if self.first_word in UTILITY:
            return "UTILITY"
        return "DDL" if self.first_word in DDL and not self.creates_from_query else "DML"

    @property
    def is_hive_ddl(self) -> bool:
        """Whether Hive's parser handles it: all DDL except CREATE TABLE … AS and views."""
        if self.first_word in ("OPTIMIZE", "VACUUM"):
            return True
        is_view = bool(re.match(r"(?i)create\s+(or\s+replace\s+)?(protected\s+multi\s+dialect\s+)?view\b", self.sql))
        return self.kind == "DDL" and not is_view

    @cached_property
    def creates_from_query(self) -> bool:
        """CREATE TABLE … AS SELECT, or WITH, or VALUES, in parentheses or not."""
        if not re.match(r"(?i)create\s+table\b", self.sql):
            return False
        return any(
            token.token_type == TokenType.ALIAS and self._starts_query(position + 1)
            for position, token in enumerate(self.tokens)
        )

    def _starts_query(self, position: int) -> bool:
        while position < len(self.tokens) and self.tokens[position].token_type == TokenType.L_PAREN:
            position += 1
        return position < len(self.tokens) and self.tokens[position].text.upper() in QUERIES

    # Methods that read the statement from the first word.

    def take(self, *words: str) -> bool:
        """Skip these words if they come next. Returns whether they did."""
        ahead = self.tokens[self.at : self.at + len(words)]
        fits = len(ahead) == len(words) and all(
            # Some pairs of words are one token: PARTITIONED BY.
            " ".join(token.text.upper().split()) == word
            and token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER)
            for token, word in zip(ahead, words, strict=True)
        )
        self.at += len(words) if fits else 0
        return fits

    def skip_to(self, *words: str) -> bool:
        """Skip to after the first occurrence of these words. Does not move if they do not occur."""
        start = self.at
        while not self.at_end:
            if self.take(*words):
                return True
            self.at += 1
        self.at = start
        return False

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.at >= len(self.tokens)

    @property
    def next(self) -> Token:
        """The next word."""
        if self.at_end:
            raise AthenaError("SYNTAX_ERROR: mismatched input '<EOF>'")
        return self.tokens[self.at]

    def word(self) -> str:
        """Read one word, name or string, without its quotes."""
        token = self.next
        self.at += 1
        return token.text

    def name(self) -> TableName:
        """Read `table`, `database.table` or `catalog.database.table`."""
        parts = [self.word().lower()]
        while not self.at_end and self.next.token_type == TokenType.DOT:
            self.at += 1
            parts.append(self.word().lower())
        return TableName(parts[-2] if len(parts) > 1 else self.database, parts[-1])

    def rest(self) -> str:
        """The text that has not been read."""
        return "" if self.at_end else self.sql[self.next.start :]

    def items(self) -> list[list[Token]]:
        """Read a list in parentheses. Returns the words of each item."""
        if not self.take("("):
            raise AthenaError(f"SYNTAX_ERROR: mismatched input '{self.next.text}'. Expecting: '('")
        found: list[list[Token]] = [[]]
        depth = 0
        while depth or self.next.token_type != TokenType.R_PAREN:
            token = self.next
            self.at += 1
            depth += (token.token_type in OPENING) - (token.token_type in CLOSING)
            if token.token_type == TokenType.COMMA and not depth:
                found.append([])
            else:
                found[-1].append(token)
        self.at += 1
        return [item for item in found if item]

    def properties(self) -> dict[str, str]:
        """Read `(key = value, 'key' = 'value')`. Keys are in lower case, values are unchanged."""
        pairs = {}
        for item in self.items():
            if len(item) < 3 or item[1].token_type != TokenType.EQ:
                raise AthenaError(f"SYNTAX_ERROR: {self.text(item)} is not of the form key = value")
            pairs[item[0].text.lower()] = self.text(item[2:])
        return pairs

    def text(self, tokens: list[Token]) -> str:
        """The original text of these words."""
        return self.sql[tokens[0].start : tokens[-1].end + 1]


def unquoted(value: str) -> str:
    """The content of a string literal; any other text unchanged."""
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    return value
