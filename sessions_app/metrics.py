"""What is counted of sessions by whichever process meets it (docs/metrics.md)."""

from ambient.common.shared_metrics import Counter

NOT_SAVED = Counter(
    "ambient_workspaces_not_saved_total", "Times that the files of a session could not be saved.", [], [()]
)
