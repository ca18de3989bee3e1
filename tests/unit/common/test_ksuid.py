"""Ids as existing clients know them."""

import re

from ambient.common import ksuid as module
from ambient.common.ksuid import ksuid


def test_an_id_is_27_base62_characters() -> None:
    assert re.fullmatch(r"[0-9A-Za-z]{27}", ksuid())


def test_ids_differ() -> None:
    assert len({ksuid() for _ in range(1000)}) == 1000


def test_an_id_of_a_later_second_sorts_after(monkeypatch) -> None:
    made = []
    for second in (1_500_000_000, 1_500_000_001, 2_000_000_000, 4_000_000_000):
        monkeypatch.setattr(module.time, "time", lambda second=second: float(second))
        made.append(ksuid())
    assert made == sorted(made)


def test_the_time_is_that_of_the_published_format(monkeypatch) -> None:
    # The example of the reference implementation (segmentio/ksuid, README).
    monkeypatch.setattr(module.time, "time", lambda: 1_400_000_000 + 107_608_047)
    monkeypatch.setattr(module.secrets, "randbits", lambda bits: 0xB5A1CD34B5F99D1154FB6853345C9735)
    assert ksuid() == "0ujtsYcgvSTl8PAuAdqWYSMnLOv"
