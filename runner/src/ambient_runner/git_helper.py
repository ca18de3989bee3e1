"""Git's credential helper in a session: hands Git's question to the runner, and the answer back.

A program of its own, for any Python: `git_helper.py SOCKET get`.
"""

import contextlib
import socket
import sys

SECONDS = 60.0
LONGEST = 16 * 1024


def main(path: str, action: str) -> int:
    """Only questions are answered: nothing is stored or erased here."""
    if action != "get":
        return 0
    question = sys.stdin.buffer.read(LONGEST)
    try:
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as runner:
            runner.settimeout(SECONDS)
            runner.connect(path)
            runner.sendall(question)
            runner.shutdown(socket.SHUT_WR)
            while part := runner.recv(LONGEST):
                sys.stdout.buffer.write(part)
    except OSError as exc:
        print(f"the session's runner gives no credentials: {type(exc).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
