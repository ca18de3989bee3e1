"""What a platform asks of a Kubernetes API server, read from the server's audit log: pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

READ, WRITE, REVIEW, WATCH, SHARED = "reads", "writes", "token reviews", "watches", "shared lists"
VERBS_THAT_READ = ("get", "list")


def policy(user: str) -> dict[str, Any]:
    """An audit policy that writes a line for every answered request of one user, and nothing else."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [{"level": "Metadata", "users": [user]}, {"level": "None"}],
    }


def calls(lines: Iterable[str]) -> Counter[str]:
    """How many requests of each sort these lines of the log are."""
    return Counter(sort_of(json.loads(line)) for line in lines)


def sort_of(entry: Mapping[str, Any]) -> str:
    """What a request is: a list without a namespace is the sweep's, which looks at all sessions at once."""
    about = entry.get("objectRef") or {}
    if entry["verb"] == "watch":
        return WATCH
    if entry["verb"] in VERBS_THAT_READ:
        return SHARED if entry["verb"] == "list" and not about.get("namespace") else READ
    return REVIEW if about.get("resource") == "tokenreviews" else WRITE
