"""Bringing sealed values to the active key, while others read and write them.

Each row is a statement of its own that compares what it replaces, so a value that somebody wrote meanwhile
stays. Nothing is remembered between rows, so it may be stopped anywhere and run again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ambient.common.database import transactional
from ambient.common.encryption import DecryptionError, active_key_id, key_ids, seal, unseal
from ambient.common.sealed import SealedColumn, sealed_columns

BATCH = 200
PASSES = 3
"""A process that was not restarted may still seal with an old key behind us."""


@dataclass
class Tally:
    """What came of the values of one column and key."""

    column: SealedColumn
    key_id: str
    total: int
    done: int = 0
    changed: int = 0
    unreadable: list[str] = field(default_factory=list)


Progress = Callable[[Tally], None]


def rotate(progress: Progress, *, dry_run: bool = False) -> list[Tally]:
    """Seal every value again that is not on the active key; a dry run only opens them."""
    tallies: dict[tuple[str, str], Tally] = {}
    for _ in range(1 if dry_run else PASSES):
        done = 0
        for known in tallies.values():
            known.unreadable = []  # the last pass says what cannot be read
        for column in sealed_columns():
            for key_id, total in column.counts().items():
                if key_id != active_key_id():
                    tally = Tally(column, key_id, total)
                    _work_through(tally, _look if dry_run else _seal_again, progress)
                    done += tally.done + tally.changed
                    _add(tallies, tally)
        if not done:
            break
    return list(tallies.values())


def forget(key_id: str, progress: Progress, *, dry_run: bool = False) -> list[Tally]:
    """Take away the values of a lost key: nobody can read them. ValueError: the key is set."""
    if key_id in key_ids():
        raise ValueError(f"{key_id} is among the keys that are set: rotate instead")
    tallies = []
    for column in sealed_columns():
        if total := column.counts().get(key_id):
            tallies.append(Tally(column, key_id, total))
            _work_through(tallies[-1], _count if dry_run else _take_away, progress)
    return tallies


def _add(tallies: dict[tuple[str, str], Tally], found: Tally) -> None:
    """Several passes over one key are one tally."""
    known = tallies.setdefault((str(found.column), found.key_id), found)
    if known is not found:
        known.done += found.done
        known.changed += found.changed
        known.total = max(known.total, known.done)
        known.unreadable = found.unreadable


def _work_through(tally: Tally, step: Callable[[Tally, str, str], None], progress: Progress) -> None:
    """Every value of the key, in the order of ids and a batch at a time."""
    rows = tally.column.rows().filter(key_id=tally.key_id).order_by("pk")
    last = ""
    while batch := list(rows.filter(pk__gt=last).values_list("pk", tally.column.field.name)[:BATCH]):
        for pk, sealed in batch:
            step(tally, pk, sealed)
        last = batch[-1][0]
        progress(tally)


def _seal_again(tally: Tally, pk: str, sealed: str) -> None:
    context = tally.column.context(pk)
    try:
        text = unseal(sealed, context=context)
    except DecryptionError:
        tally.unreadable.append(pk)
    else:
        _settle(tally, _replace(tally.column, pk, sealed, seal(text, context=context)))


def _look(tally: Tally, pk: str, sealed: str) -> None:
    if tally.column.opens(pk, sealed):
        tally.done += 1
    else:
        tally.unreadable.append(pk)


def _take_away(tally: Tally, pk: str, sealed: str) -> None:
    _settle(tally, _replace(tally.column, pk, sealed, None))


def _count(tally: Tally, pk: str, sealed: str) -> None:
    tally.done += 1


def _settle(tally: Tally, replaced: bool) -> None:
    tally.done += replaced
    tally.changed += not replaced


@transactional
def _replace(column: SealedColumn, pk: str, old: str, new: str | None) -> bool:
    """Compare and set, without touching `updated_at`; False when the row has another value by now."""
    name = column.field.name
    return bool(column.model._base_manager.filter(**{"pk": pk, name: old}).update(**{name: new}))
