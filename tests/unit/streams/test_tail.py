"""Whatever is lost, doubled or restarted: a watcher sees each number once and in order."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.streams.tail import Tail


@dataclass(frozen=True)
class Item:
    seq: int
    size: int = 10


def items(first: int, last: int) -> list[Item]:
    return [Item(seq) for seq in range(first, last + 1)]


@pytest.mark.parametrize(
    ("adds", "floor", "end"),
    [
        pytest.param([(0, 3)], 0, 3, id="first-item"),
        pytest.param([(0, 3), (3, 5)], 0, 5, id="the-next-is-taken"),
        pytest.param([(0, 3), (1, 3)], 0, 3, id="an-old-one-is-dropped"),
        pytest.param([(0, 3), (2, 5)], 0, 5, id="an-overlap-adds-the-rest"),
        pytest.param([(0, 3), (7, 9)], 7, 9, id="a-hole-starts-anew"),
    ],
)
def test_items(adds: list[tuple[int, int]], floor: int, end: int) -> None:
    tail = Tail(10**6)
    for prev, last in adds:
        tail.add(prev, items(prev + 1, last))
    assert (tail.floor, tail.end) == (floor, end)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)), max_size=30),
    st.integers(0, 40),
    st.integers(20, 400),
)
def test_after_is_dense_or_unknown(adds: list[tuple[int, int]], cursor: int, limit: int) -> None:
    tail = Tail(limit)
    for prev, count in adds:
        tail.add(prev, items(prev + 1, prev + count))
        found = tail.after(cursor, 10**6)
        if found is not None:
            assert [item.seq for item in found] == list(range(cursor + 1, (tail.end or 0) + 1))


@given(
    st.lists(st.sampled_from(["store", "lose", "deliver", "double", "restart", "watch"]), max_size=60),
    st.data(),
)
def test_a_watcher_sees_each_once_in_order(steps: list[str], data: st.DataObject) -> None:
    stored = 0
    pending: list[tuple[int, int]] = []
    delivered: list[tuple[int, int]] = []
    tail = Tail(50)
    seen: list[int] = []

    def watch() -> None:
        """As `Feed.watch` does: the tail, else a page of the store."""
        cursor = seen[-1] if seen else 0
        found = tail.after(cursor, 10**6)
        if found is None:
            page = items(cursor + 1, min(stored, cursor + 3))
            if page:
                tail.add(cursor, page)
            else:
                tail.start(cursor)
            found = page
        seen.extend(item.seq for item in found)

    for step in steps:
        if step == "store":
            count = data.draw(st.integers(1, 4))
            pending.append((stored, stored + count))
            stored += count
        elif step == "lose" and pending:
            pending.pop(0)
        elif step == "deliver" and pending:
            prev, last = pending.pop(0)
            delivered.append((prev, last))
            tail.add(prev, items(prev + 1, last))
        elif step == "double" and delivered:
            prev, last = data.draw(st.sampled_from(delivered))
            tail.add(prev, items(prev + 1, last))
        elif step == "restart":
            tail = Tail(50)
        else:
            watch()
    for _ in range(stored + 2):  # the check of heads: whoever is behind asks the store
        if len(seen) < stored and tail.end is not None and tail.end <= (seen[-1] if seen else 0):
            cursor = seen[-1] if seen else 0
            page = items(cursor + 1, min(stored, cursor + 3))
            tail.add(cursor, page)
        watch()
    assert seen == list(range(1, stored + 1))
