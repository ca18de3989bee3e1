"""Become a program that dies when the process that started it dies (PDEATHSIG).

Run by path with `python -I -S launch.py SIGNAL PARENT PROGRAM ARGUMENT...`: setting the signal here, after
exec, needs no code between fork and exec, so threads in the parent do no harm.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def command(die_signal: int) -> list[str]:
    """What stands before a program's arguments so that it gets the signal when we end (0: it lives on)."""
    return [sys.executable, "-I", "-S", __file__, str(int(die_signal)), str(os.getpid())]


def main(die_signal: int, parent: int, argv: list[str]) -> None:
    """Set the signal, check that the parent is still there, and exec."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, die_signal, 0, 0, 0) != 0:
        sys.exit(f"cannot set PDEATHSIG: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("the process that started this one is gone")
    try:
        os.execvp(argv[0], argv)
    except OSError as exc:
        print(f"cannot run {argv[0]}: {exc.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
