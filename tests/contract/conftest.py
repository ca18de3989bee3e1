"""How many requests the fuzzing made, in the summary: they are spread over workers."""

from collections import Counter


def pytest_terminal_summary(terminalreporter):
    answered: Counter[int] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.when == "call":
            answered.update(dict(report.user_properties).get("fuzz", {}))
    if answered:
        parts = ", ".join(f"{count} {status}xx" for status, count in sorted(answered.items()))
        terminalreporter.write_line(f"fuzz: {sum(answered.values())} requests answered: {parts}")
