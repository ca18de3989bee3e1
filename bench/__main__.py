"""`make bench`: measures on the real platform, in one run, and writes the table of docs/performance.md.

ARGS: `--sessions N` for the start benchmark, `--events N` for the stream benchmark, `--only NAME`.
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

from bench.measures import MEASURES, Bench  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--sessions", type=int, default=20, help="sessions of the start benchmark")
    parser.add_argument(
        "--events", type=int, default=10_000, help="events per session of the stream benchmark"
    )
    parser.add_argument("--only", choices=sorted(MEASURES), help="one benchmark; the page is not written")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ambient-bench-") as folder:
        ports = {"AMBIENT_API_PORT": str(free_port()), "AMBIENT_CONTROL_PLANE_PORT": str(free_port())}
        environment = os.environ | ports | {"AMBIENT_HOME": folder, "AMBIENT_DEMO_PACE": "0"}
        log = (Path(folder) / "bench.log").open("w")
        home = Home.from_env(environment)
        running = Platform(home, environment, output=lambda name, line: log.write(f"{name} {line}\n"))
        rows: list[tuple[str, str, str]] = []
        try:
            running.start()
            running.wait_ready()
            token = (home.path / "admin.key").read_text().strip()
            api, control_plane = (endpoint.url for endpoint in endpoints(environment))
            bench = Bench(api, control_plane, token, options.sessions, options.events)
            for name, measure in MEASURES.items():
                if options.only in (None, name):
                    rows += measure(bench)
        finally:
            running.stop()
            log.close()
    table = ["| What | Measured | Budget |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]
    print("\n".join(table))
    if options.only is None:
        when = datetime.now(UTC).strftime("%Y-%m-%d")
        where = f"{os.cpu_count()} cores ({machine.machine()}), everything on one machine"
        head = f"{BEGIN}\nMeasured {when} on {where}.\n\n"
        text = PAGE.read_text()
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        PAGE.write_text(before + head + "\n".join(table) + f"\n{END}" + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
