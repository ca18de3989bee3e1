"""The name of a process's database connections, as operators and the audit log read it."""

import os
import pwd
import re
from collections.abc import Sequence

LONGEST_NAME = 63  # what PostgreSQL keeps of it
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")


def connection_name(process: str, arguments: Sequence[str]) -> str:
    """The database connection's name: a process's type; of a command also its name and who runs it."""
    parts = [f"ambient-{process}"]
    if process == "command" and os.path.basename(arguments[0]) == "manage.py" and len(arguments) > 1:
        parts += [_PLAIN.sub("", arguments[1]), _PLAIN.sub("", _os_user())]
    return " ".join(parts)[:LONGEST_NAME]


def _os_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
