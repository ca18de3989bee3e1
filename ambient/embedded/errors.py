"""The one error of this package."""


class EmbeddedError(Exception):
    """Something an operator can put right, told in one clear line."""
