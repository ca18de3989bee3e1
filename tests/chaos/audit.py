"""What is wrong with a record: pure functions, each of which returns one line per finding."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.record import Event, Record, Seen

FINAL_RUNS = {"finished", "failed", "interrupted", "cancelled"}
ENDED = {"done", "failed", "cancelled"}
ENDS = {"RUN_FINISHED", "RUN_ERROR"}
FINAL_PHASES = {"Stopped", "Completed", "Failed"}
Findings = Iterator[str]


@dataclass
class Verdict:
    """Findings by kind."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return not any(self.kinds().values())

    def kinds(self) -> dict[str, list[str]]:
        """The findings under the word that the summary has for them."""
        return {
            "lost": self.lost,
            "doubled": self.doubled,
            "stuck": self.stuck,
            "left over": self.left,
            "miscounted": self.miscounted,
        }

    def __str__(self) -> str:
        return ", ".join(f"{len(found)} {word}" for word, found in self.kinds().items())


def judge(records: Sequence[Record], left: Sequence[str], counted: dict[str, tuple[int, int]]) -> Verdict:
    """All findings. `left` are processes and claims that should be gone; `counted` is (kept, real)."""
    verdict = Verdict(left=list(left))
    for record in records:
        for found, checks in ((verdict.lost, LOST), (verdict.doubled, DOUBLED), (verdict.stuck, STUCK)):
            found += [f"{record.session}: {line}" for check in checks for line in check(record)]
        verdict.miscounted += [f"{record.session}: {line}" for line in miscounted(record)]
    verdict.miscounted += [
        f"{name}: kept {kept}, there are {real}" for name, (kept, real) in counted.items() if kept != real
    ]
    return verdict


# --- lost


def missing_events(record: Record) -> Findings:
    """Numbers up to the head that the log does not have."""
    numbers = {event.seq for event in record.events}
    for seq in range(1, record.head + 1):
        if seq not in numbers:
            yield f"event {seq} is not in the log"


def missing_for_watchers(record: Record) -> Findings:
    """Stored events that a watcher never got, and watchers that were turned away."""
    stored = [(event.seq, event.type) for event in record.events]
    for seen in record.seen:
        if seen.problem:
            yield f"{seen.name} was ended: {seen.problem}"
        got = set(seen.events)
        for seq, type_ in stored:
            if (seq, type_) not in got:
                yield f"{seen.name} never got event {seq} ({type_})"


def missing_messages(record: Record) -> Findings:
    """Messages that the platform has acknowledged and does not have."""
    known = {message.client_id for message in record.messages}
    for client_id in record.sent:
        if client_id not in known:
            yield f"message {client_id} was acknowledged and is not there"


def missing_words(record: Record) -> Findings:
    """Answers of finished runs that lack something which was to be said."""
    for client_id, expected, said in answers(record):
        if Counter(expected) - Counter(said):
            yield f"the answer to {client_id} lacks {_sample(Counter(expected) - Counter(said))}"


# --- doubled


def doubled_events(record: Record) -> Findings:
    """Numbers that were given out twice."""
    for seq, times in Counter(event.seq for event in record.events).items():
        if times > 1:
            yield f"event {seq} is {times} times in the log"


def doubled_for_watchers(record: Record) -> Findings:
    """Events that a watcher got twice, or not in their order."""
    for seen in record.seen:
        yield from _order_of(seen)


def _order_of(seen: Seen) -> Findings:
    last = 0
    for seq, _ in seen.events:
        if seq <= last:
            yield f"{seen.name} got event {seq} after {last}"
        last = max(last, seq)


def doubled_runs(record: Record) -> Findings:
    """Runs that begin or end more than once, or into which others' events are mixed."""
    by_run: dict[str, list[Event]] = defaultdict(list)
    for event in record.events:
        by_run[event.run].append(event)
    for run, events in by_run.items():
        starts = sum(event.type == "RUN_STARTED" for event in events)
        ends = sum(event.type in ENDS for event in events)
        if starts != 1 or ends != 1:
            yield f"run {run} has {starts} starts and {ends} ends"
        if events[-1].seq - events[0].seq + 1 != len(events):
            yield f"run {run} is not in one piece"
    for message, times in Counter(run.message for run in record.runs if run.message).items():
        if times > 1:
            yield f"message {message} became {times} runs"


def doubled_words(record: Record) -> Findings:
    """Answers of finished runs that say something twice, or in another order."""
    for client_id, expected, said in answers(record):
        if Counter(said) - Counter(expected):
            yield f"the answer to {client_id} has too much: {_sample(Counter(said) - Counter(expected))}"
        elif said != expected and not Counter(expected) - Counter(said):
            yield f"the answer to {client_id} is in another order"


# --- stuck


def unanswered(record: Record) -> Findings:
    """Messages that neither were answered nor visibly failed."""
    for message in record.messages:
        if message.kind != "user":
            continue
        if message.delivery not in ENDED:
            yield f"message {message.client_id or message.id} is {message.delivery}"
        elif message.delivery == "failed" and not message.reason:
            yield f"message {message.client_id or message.id} failed without a reason"


def unfinished(record: Record) -> Findings:
    """Runs and sessions that do not come to an end, or did not answer at the end."""
    for run in record.runs:
        if run.state not in FINAL_RUNS:
            yield f"run {run.id} is {run.state}"
    if record.active_run:
        yield f"the stream is still at run {record.active_run}"
    if not record.alive:
        yield "the last message of all was not answered"
    if record.phase not in FINAL_PHASES:
        yield f"was stopped and is {record.phase}"
    elif record.placed:
        yield f"is {record.phase} and still has its place"


# --- counters


def miscounted(record: Record) -> Findings:
    """Counters that do not say what there is."""
    last = max((event.seq for event in record.events), default=0)
    if record.head != last:
        yield f"the stream's head is {record.head}, the last event is {last}"
    numbers = sorted(message.seq for message in record.messages)
    if record.message_head != len(numbers) or numbers != list(range(1, len(numbers) + 1)):
        yield f"the message counter is {record.message_head}, there are {len(numbers)}, up to {numbers[-1:]}"
    runs = sorted(run.number for run in record.runs)
    if runs != list(range(1, len(runs) + 1)):
        yield f"the runs' numbers have a gap: {runs[-1]} of {len(runs)}"


LOST: tuple[Callable[[Record], Findings], ...] = (
    missing_events,
    missing_for_watchers,
    missing_messages,
    missing_words,
)
DOUBLED: tuple[Callable[[Record], Findings], ...] = (
    doubled_events,
    doubled_for_watchers,
    doubled_runs,
    doubled_words,
)
STUCK: tuple[Callable[[Record], Findings], ...] = (unanswered, unfinished)


# --- what the demo agent should have said


def expected_lines(text: str) -> list[str] | None:
    """The lines of the demo agent's answer to a command; None where they are not known."""
    command, _, argument = text.partition(" ")
    match command:
        case "/echo":
            return [argument]
        case "/flood":
            return [str(number) for number in range(1, int(argument) + 1)]
        case "/long":
            ticks = round(float(argument) / 0.2)
            return [*(f"tick {tick} of {ticks}" for tick in range(1, ticks + 1)), "done"]
        case _:
            return None


def answers(record: Record) -> Iterator[tuple[str, list[str], list[str]]]:
    """(client id, lines expected, lines said) of messages that were answered."""
    said: dict[str, list[str]] = defaultdict(list)
    for event in record.events:
        said[event.run].append(event.delta)
    for message in record.messages:
        expected = expected_lines(message.text) if message.delivery == "done" else None
        if expected is not None and message.run:
            yield message.client_id or message.id, expected, "".join(said[message.run]).splitlines()


def _sample(found: Counter[str]) -> str:
    first = next(iter(found))
    return repr(first) if found.total() == 1 else f"{first!r} and {found.total() - 1} more"
