"""docs/settings.md says what the code reads."""

from ambient import env
from tools.settings_table import rows


def test_every_setting_is_documented_with_its_default() -> None:
    documented = (env.BASE_DIR / "docs" / "settings.md").read_text().splitlines()
    assert [row for row in rows() if row not in documented] == []
    assert sum(line.startswith("| `") for line in documented) == len(rows())
