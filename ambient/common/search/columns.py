"""What a search or an order may name: the columns of a kind, by their wire names."""

import enum
from dataclasses import dataclass


class ColumnType(enum.Enum):
    """How literals are read and which operators make sense."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "true or false"
    TIME = "time"


@dataclass(frozen=True)
class Column:
    """A wire field that is stored. `keys` is the JSONB column that `name.key` looks into, if there is one."""

    path: str
    type: ColumnType
    keys: str | None = None
