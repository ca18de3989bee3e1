from typing import Literal

AccessEntrySubjectType = Literal["group", "user"]

ACCESS_ENTRY_SUBJECT_TYPE_VALUES: set[AccessEntrySubjectType] = {
    "group",
    "user",
}


def check_access_entry_subject_type(value: str) -> AccessEntrySubjectType:
    if value in ACCESS_ENTRY_SUBJECT_TYPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ACCESS_ENTRY_SUBJECT_TYPE_VALUES!r}")
