"""`make bench`: measures on the real platform, in one run, and writes the table of docs/performance.md.

ARGS: `--sessions N` for the start benchmark, `--events N` for the stream benchmark, `--only NAME`.
`make bench ARGS=admin`: the admin's pages over `--rows` sessions (bench/admin.py); writes its own table.
`make bench ARGS=audit`: writes with and without the audit log (bench/audit.py); writes its own table.
`make bench ARGS=access`: reads with 10,000 role bindings beside one (bench/access.py); writes its own table.
`make bench ARGS=kubernetes`: sessions as pods (bench/kubernetes.py); writes its own table.
"""

import argparse
import os
import platform as machine
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from ambient.embedded.home import Home, free_port
from ambient.embedded.platform import Platform, endpoints

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "sdk" / "python" / "src"))


from bench import kubernetes, limits, measures  # noqa: E402
from bench.access import CALLERS, access_costs  # noqa: E402
from bench.admin import admin_pages  # noqa: E402
from bench.audit import audit_costs  # noqa: E402
from bench.measures import Bench  # noqa: E402

MEASURES = measures.MEASURES | limits.MEASURES
PAGE = ROOT / "docs" / "performance.md"
ROWS = 1_000_000
Rows = list[tuple[str, str, str]]


def write(word: str, rows: Rows, note: str = "") -> None:
    """Put the table between the page's two marks of this word."""
    begin, end = f"<!-- {word} -->", f"<!-- /{word} -->"
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    where = f"{os.cpu_count()} cores ({machine.machine()}), everything on one machine"
    text = PAGE.read_text()
    before, after = text.split(begin)[0], text.split(end)[1]
    head = f"{begin}\nMeasured {when} on {where}.{note}\n\n"
    PAGE.write_text(before + head + "\n".join(table(rows)) + f"\n{end}" + after)


def table(rows: Rows) -> list[str]:
    """The rows as Markdown."""
    return ["| What | Measured | Budget |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]


def measure_admin(count: int) -> int:
    """The pages of the admin; the page is written for the full number of rows only."""
    rows, seconds = admin_pages(count)
    print("\n".join(table(rows)))
    if count == ROWS:
        write("bench admin", rows, f" {count:,} sessions, filled in {seconds:.0f} s.")
    return 0


def measure_access() -> int:
    """What many bindings cost."""
    rows = access_costs()
    print("\n".join(table(rows)))
    write("bench access", rows, f" p50 of a caller with 1 binding, then of one with {CALLERS['many']:,}.")
    return 0


def measure_audit() -> int:
    """What the audit log costs."""
    rows = audit_costs()
    print("\n".join(table(rows)))
    write("bench audit", rows, " p50 without the log's triggers, then with them.")
    return 0


def measure_kubernetes(only: str | None) -> int:
    """What sessions cost a cluster; the page is written when all was measured."""
    rows = kubernetes.kubernetes_numbers(only)
    print("\n".join(table(rows)))
    if only is None:
        write("bench kubernetes", rows, f" Load when it ended: {os.getloadavg()[1]:.0f}.")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--sessions", type=int, default=20, help="sessions of the start benchmark")
    parser.add_argument(
        "--events", type=int, default=10_000, help="events per session of the stream benchmark"
    )
    parser.add_argument("--only", help="one benchmark of platform or kubernetes; the page is not written")
    parser.add_argument(
        "word",
        nargs="?",
        choices=["platform", "admin", "access", "audit", "kubernetes"],
        default="platform",
    )
    parser.add_argument("--rows", type=int, default=ROWS, help="sessions of the admin's benchmark")
    options = parser.parse_args()
    known = kubernetes.MEASURES if options.word == "kubernetes" else MEASURES
    if options.only not in (None, *known):
        parser.error(f"--only {options.only}: {', '.join(sorted(known))}")
    if options.word == "admin":
        return measure_admin(options.rows)
    if options.word == "audit":
        return measure_audit()
    if options.word == "access":
        return measure_access()
    if options.word == "kubernetes":
        return measure_kubernetes(options.only)
    with tempfile.TemporaryDirectory(prefix="ambient-bench-") as folder:
        ports = {"AMBIENT_API_PORT": str(free_port()), "AMBIENT_CONTROL_PLANE_PORT": str(free_port())}
        environment = os.environ | ports | {"AMBIENT_HOME": folder, "AMBIENT_DEMO_PACE": "0"}
        log = (Path(folder) / "bench.log").open("w")
        home = Home.from_env(environment)
        running = Platform(home, environment, output=lambda name, line: log.write(f"{name} {line}\n"))
        rows: Rows = []
        try:
            running.start()
            running.wait_ready()
            token = (home.path / "admin.key").read_text().strip()
            api, control_plane = (endpoint.url for endpoint in endpoints(environment))
            bench = Bench(api, control_plane, token, options.sessions, options.events, dict(running.env))
            for name, measure in MEASURES.items():
                if options.only in (None, name):
                    rows += measure(bench)
        finally:
            running.stop()
            log.close()
    print("\n".join(table(rows)))
    if options.only is None:
        write("bench", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
