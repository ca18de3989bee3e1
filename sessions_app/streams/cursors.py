"""Sequence numbers as clients send them."""

MAX_SEQ = 2**63 - 1
_DIGITS = len(str(MAX_SEQ))


def number(text: str | None) -> int | None:
    """A sequence number of a client; None when there is none or it cannot be read."""
    if text is None or not text.isascii() or not text.strip().isdigit():
        return None
    digits = text.strip().lstrip("0") or "0"
    return min(int(digits), MAX_SEQ) if len(digits) <= _DIGITS else MAX_SEQ  # int() refuses very long ones
