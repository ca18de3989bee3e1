"""What counting a request in Valkey costs: two servers side by side, one of them without limits."""

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from ambient.embedded.home import CHECKOUT, free_port
from ambient.embedded.platform import manage
from bench.measures import Bench, Rows

REQUESTS = 1500
WITHOUT = {"AMBIENT_LIMIT_READ": "0"}


@contextmanager
def second_api(bench: Bench) -> Iterator[str]:
    """One more API process, without the limit of reads; its address."""
    port = free_port()
    env = bench.environment | WITHOUT | {"AMBIENT_API_PORT": str(port)}
    process = subprocess.Popen(
        manage("serve", "api"), env=env, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while not _is_ready(url):
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def limits(bench: Bench) -> Rows:
    """The same small read, asked in turn of a server that counts it and of one that does not."""
    path = f"/api/ambient/v1/projects/{bench.project()}"
    headers = {"Authorization": f"Bearer {bench.token}"}
    with second_api(bench) as plain, httpx.Client(trust_env=False, headers=headers) as client:

        def timed(base: str) -> float:
            begin = time.perf_counter()
            client.get(base + path).raise_for_status()
            return (time.perf_counter() - begin) * 1000

        sides: dict[str, list[float]] = {bench.api_url: [], plain: []}
        for turn in range(REQUESTS + 100):
            for base, taken in sides.items():
                milliseconds = timed(base)
                if turn >= 100:  # the first ones open connections
                    taken.append(milliseconds)
        counted, uncounted = (statistics.median(taken) for taken in sides.values())
    cost = counted - uncounted
    budget = "0.30 ms" + ("" if cost <= 0.3 else " (missed)")
    measured = f"p50 {cost:.2f} ms ({uncounted:.2f} ms without limits, {counted:.2f} ms with)"
    return [(f"cost of the limits, {REQUESTS} reads each in turn", measured, budget)]


MEASURES: dict[str, Callable[[Bench], Rows]] = {"limits": limits}
