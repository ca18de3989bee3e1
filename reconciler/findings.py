"""What `doctor` says of one thing that it looked at."""

from dataclasses import dataclass

OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `todo` says what to do when it is not well."""

    name: str
    state: str
    text: str
    todo: str = ""
