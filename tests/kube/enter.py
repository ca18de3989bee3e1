"""Run a container: `python -I -S enter.py SPEC`; ends with its program's exit code, 128 + N for a signal.

The program gets user, mount and process namespaces, and a new root in memory. Into it go the host's folders,
read-only, as the image that everybody has, then what the image and the pod mount. When this process ends, so
does everything inside. With shareProcessNamespace the first process is not the program but one that waits
for it and reaps, as `pause` does. Run by path, so it imports the standard library only.
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Any

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x10000000, 0x20000000
PR_SET_PDEATHSIG = 1
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
KEPT_FLAGS = {
    2: 2,
    4: 4,
    8: 8,
    1024: 1024,
    2048: 2048,
    4096: 1 << 21,
}  # of statvfs, and what mount calls them
DEVICES = ("full", "null", "random", "urandom", "zero")
OWN = ("dev", "proc", "tmp")
CANNOT_START = 128

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    """What a system call has answered."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def leave(namespaces: int, user: int, group: int) -> None:
    """Go into new namespaces, one of them of users, in which we are this user and this group."""
    before = {"uid": os.geteuid(), "gid": os.getegid()}
    checked(libc.unshare(CLONE_NEWUSER | namespaces), "cannot make namespaces")
    with open("/proc/self/setgroups", "w") as file:
        file.write("deny")
    for kind, number in (("uid", user), ("gid", group)):
        with open(f"/proc/self/{kind}_map", "w") as file:
            file.write(f"{number} {before[kind]} 1")


def mount(source: str, target: str, kind: str = "", flags: int = 0) -> None:
    """mount(2)."""
    answer = libc.mount(source.encode(), target.encode(), kind.encode() or None, flags, None)
    checked(answer, f"cannot mount {source} at {target}")


def bind(source: str, target: str, *, read_only: bool) -> None:
    """Make a file or a folder appear in a second place; what must hold it is made."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "x").close()
    mount(source, target, flags=MS_BIND | MS_REC)
    if read_only:
        # In a user namespace nobody may take away flags that the host has set.
        found = os.statvfs(target).f_flag
        kept = sum(flag for seen, flag in KEPT_FLAGS.items() if found & seen)
        mount("none", target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def mirror(source: str, root: str, targets: Sequence[str]) -> None:
    """Show a folder's entries in the root; one that a target lies in becomes a folder of ours, and so on."""
    os.makedirs(root + source, exist_ok=True)
    for entry in os.scandir(source):
        path = os.path.join(source, entry.name)
        if entry.name in OWN and source == "/" or path in targets:
            continue
        if entry.is_symlink():
            os.symlink(os.readlink(path), root + path)
        elif entry.is_dir() and any(target.startswith(path + "/") for target in targets):
            mirror(path, root, targets)
        elif entry.is_dir() or entry.is_file():
            bind(path, root + path, read_only=path != "/sys")


def own_folders(root: str) -> None:
    """What is never the host's."""
    os.makedirs(f"{root}/proc")
    mount("proc", f"{root}/proc", "proc")
    for name in ("dev", "tmp"):
        os.makedirs(f"{root}/{name}")
        mount("tmpfs", f"{root}/{name}", "tmpfs")
    os.makedirs(f"{root}/dev/shm")
    for device in DEVICES:
        bind(f"/dev/{device}", f"{root}/dev/{device}", read_only=False)
    os.symlink("/proc/self/fd", f"{root}/dev/fd")


def build(root: str, mounts: Iterable[dict[str, Any]], workdir: str, *, read_only: bool) -> None:
    """Everything in its place, the outer mounts before the inner ones."""
    mount("tmpfs", root, "tmpfs")
    resolved = [(os.path.realpath(entry["target"]), entry) for entry in mounts]
    mirror("/", root, [target for target, _ in resolved])
    own_folders(root)
    for target, entry in sorted(resolved, key=lambda pair: pair[0]):
        bind(entry["source"], root + target, read_only=entry["read_only"])
    os.makedirs(root + workdir, exist_ok=True)
    if read_only:
        volumes = [target for target, _ in resolved]
        for path in [path for path in ("/", "/tmp") if path not in volumes]:
            mount("none", root + path, flags=MS_REMOUNT | MS_BIND | MS_RDONLY)


def change_root(root: str) -> None:
    """The root is all there is. (Not chroot: who is in one may make no user namespace.)"""
    os.chdir(root)
    checked(libc.pivot_root(b".", b"."), "cannot change the root")
    checked(libc.umount2(b".", MNT_DETACH), "cannot leave the old root")


def enter(spec: dict[str, Any]) -> None:
    """Be the program of the container."""
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "cannot die with the parent")
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    build(spec["root"], spec["mounts"], spec["workdir"], read_only=spec["read_only"])
    change_root(spec["root"])
    os.chdir(spec["workdir"])
    if spec["user"]:
        leave(0, spec["user"], spec["group"])
    if spec["shared_processes"] and (program := os.fork()):
        os._exit(reap_until(program))
    os.execvpe(spec["argv"][0], spec["argv"], spec["environment"])


def reap_until(program: int) -> int:
    """Reap whatever ends, also what has lost its parent, until this one does: its exit code."""
    while True:
        pid, status = os.wait()
        if pid == program:
            return exit_code(status)


def exit_code(status: int) -> int:
    """Of a wait status: the exit code, 128 + N for a signal."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main(path: str) -> int:
    """Read what to run, run it, and tell how it ended."""
    with open(path) as file:
        spec = json.load(file)
    os.unlink(path)  # it holds the environment, and so the secrets
    leave(CLONE_NEWNS | CLONE_NEWPID, 0, 0)
    child = os.fork()
    if child == 0:
        try:
            enter(spec)
        except OSError as exc:
            print(f"cannot start the container: {exc}", file=sys.stderr, flush=True)
        os._exit(CANNOT_START)
    return exit_code(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
