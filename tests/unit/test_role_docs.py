"""docs/access.md says what the built-in roles are in the code."""

from ambient import env
from tools.role_table import rows


def test_every_role_is_documented_as_it_is() -> None:
    documented = (env.BASE_DIR / "docs" / "access.md").read_text().splitlines()
    assert [row for row in rows() if row not in documented] == []
    named = {row.split("|")[1] for row in rows()}
    assert sum(line.startswith("| `") and line.split("|")[1] in named for line in documented) == len(rows())
