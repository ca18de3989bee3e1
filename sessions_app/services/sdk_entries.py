"""The agent SDK's own session store: append-only lists of JSON texts, one list per key.

The caller names the position of the first entry, so an append that is repeated because its answer was lost
changes nothing, and two writers of one list cannot both succeed.
"""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Max

from ambient.common.exceptions import Conflict
from sessions_app.models import SdkSessionEntry

PAGE_ENTRIES = 500
PAGE_CHARACTERS = 4 * 1024 * 1024


def sdk_keys(session_id: str) -> list[tuple[str, int]]:
    """The session's keys with the position of each one's last entry."""
    rows = SdkSessionEntry.objects.filter(session_id=session_id).values("key").annotate(head=Max("position"))
    return [(row["key"], row["head"]) for row in rows.order_by("key")]


def sdk_entries_after(session_id: str, key: str, after: int) -> tuple[list[tuple[int, str]], bool]:
    """Entries after a position, in order and bounded in number and size, and whether more follow."""
    rows = SdkSessionEntry.objects.filter(session_id=session_id, key=key, position__gt=after)
    found: list[tuple[int, str]] = []
    characters = 0
    wanted = rows.order_by("position").values_list("position", "entry")[: PAGE_ENTRIES + 1]
    for position, entry in wanted.iterator(chunk_size=50):
        characters += len(entry)
        if len(found) == PAGE_ENTRIES or (found and characters > PAGE_CHARACTERS):
            return found, True
        found.append((position, entry))
    return found, False


def sdk_entries_append(session_id: str, key: str, position: int, entries: Sequence[str]) -> int:
    """Store entries from a position on; returns the head. Conflict when others are there, or for a gap."""
    of_key = SdkSessionEntry.objects.filter(session_id=session_id, key=key)
    last = position + len(entries) - 1
    with transaction.atomic():
        head: int = of_key.aggregate(head=Max("position"))["head"] or 0
        if position > head + 1:
            raise Conflict(f"the last entry is {head}, so the next must be {head + 1}")
        known = dict(of_key.filter(position__range=(position, last)).values_list("position", "entry"))
        given = dict(enumerate(entries, position))
        if any(given[number] != text for number, text in known.items()):
            raise Conflict(f"other entries are stored from {position} on; the last is {head}")
        fresh = [
            SdkSessionEntry(session_id=session_id, key=key, position=number, entry=text)
            for number, text in given.items()
            if number not in known
        ]
        try:
            with transaction.atomic():
                SdkSessionEntry.objects.bulk_create(fresh)
        except IntegrityError as exc:
            raise Conflict("another writer appended at the same time") from exc
    return max(head, last)
