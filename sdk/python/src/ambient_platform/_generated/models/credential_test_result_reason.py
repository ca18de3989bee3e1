from typing import Literal

CredentialTestResultReason = Literal[
    "AddressRefused",
    "Forbidden",
    "Incomplete",
    "InvalidSecret",
    "NotFound",
    "NoToken",
    "NotTestable",
    "ProviderFailed",
    "RateLimited",
    "Redirected",
    "Rejected",
    "TimedOut",
    "Unreachable",
    "UnreadableAnswer",
    "Works",
]

CREDENTIAL_TEST_RESULT_REASON_VALUES: set[CredentialTestResultReason] = {
    "AddressRefused",
    "Forbidden",
    "Incomplete",
    "InvalidSecret",
    "NotFound",
    "NoToken",
    "NotTestable",
    "ProviderFailed",
    "RateLimited",
    "Redirected",
    "Rejected",
    "TimedOut",
    "Unreachable",
    "UnreadableAnswer",
    "Works",
}


def check_credential_test_result_reason(value: str) -> CredentialTestResultReason:
    if value in CREDENTIAL_TEST_RESULT_REASON_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CREDENTIAL_TEST_RESULT_REASON_VALUES!r}")
