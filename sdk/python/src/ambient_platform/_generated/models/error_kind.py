from typing import Literal

ErrorKind = Literal["Error"]

ERROR_KIND_VALUES: set[ErrorKind] = {
    "Error",
}


def check_error_kind(value: str) -> ErrorKind:
    if value in ERROR_KIND_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ERROR_KIND_VALUES!r}")
