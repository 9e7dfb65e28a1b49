"""Column types that mean the same on SQLite, whose tables are STRICT, and on PostgreSQL.

STRICT tables know only INTEGER, REAL, TEXT and BLOB, so each type says what it is there.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    REAL,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Double,
    Integer,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

E = TypeVar("E", bound=StrEnum)

BigInt = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits: Telegram's ids do not fit into 32."""

Probability: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
"""64-bit floating point, so that what a network said survives to the bit."""


class UtcDateTime(TypeDecorator[datetime]):
    """A UTC-aware datetime with microseconds; on SQLite ISO 8601 text of one width, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """TEXT on SQLite."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To UTC; a datetime without a zone is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a datetime with a time zone, got {value!r}")
        moment = value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """In UTC, whatever zone the server speaks."""
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


class Flag(TypeDecorator[bool]):
    """True or false; 0 or 1 on SQLite."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """INTEGER on SQLite."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        """As a `bool`."""
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """JSON; text of it on SQLite."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """TEXT on SQLite."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else JSON(none_as_null=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Written out for SQLite; the driver does it elsewhere."""
        if value is None or dialect.name != "sqlite":
            return value
        return json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Read in for SQLite."""
        return value if value is None or dialect.name != "sqlite" else json.loads(value)


class TenProbabilities(TypeDecorator[tuple[float, ...]]):
    """Ten probabilities as a JSON array, which keeps every bit of a float64."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[float] | None, dialect: Dialect) -> str | None:
        """As text."""
        return None if value is None else json.dumps([float(number) for number in value])

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[float, ...] | None:
        """As a tuple."""
        return None if value is None else tuple(json.loads(value))


class Word(TypeDecorator[E]):
    """A member of a `StrEnum`, stored as its value."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        """As text; other text than a member's value is an error."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> E | None:
        """As the member."""
        return None if value is None else self.words(value)
