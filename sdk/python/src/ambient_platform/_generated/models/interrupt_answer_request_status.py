from typing import Literal

InterruptAnswerRequestStatus = Literal["cancelled", "resolved"]

INTERRUPT_ANSWER_REQUEST_STATUS_VALUES: set[InterruptAnswerRequestStatus] = {
    "cancelled",
    "resolved",
}


def check_interrupt_answer_request_status(value: str) -> InterruptAnswerRequestStatus:
    if value in INTERRUPT_ANSWER_REQUEST_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {INTERRUPT_ANSWER_REQUEST_STATUS_VALUES!r}")
