"""As whom the PostgreSQL programs run: they refuse root, and initdb wants a user that the system knows."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ambient.embedded.errors import EmbeddedError

ADVICE = "run as an ordinary user, or set DATABASE_URL to a PostgreSQL server"


@dataclass(frozen=True)
class Identity:
    """A command prefix, and the uid and gid that own the files as we see them."""

    prefix: tuple[str, ...]
    uid: int
    gid: int
    private_folder: bool = False  # the data cannot lie in our home: the other user may not enter it

    def command(self, argv: Sequence[str]) -> list[str]:
        return [*self.prefix, *argv]


def known_user() -> tuple[int, int]:
    """Uid and gid of `nobody`, or of another user that is not root."""
    users = sorted(pwd.getpwall(), key=lambda user: (user.pw_name != "nobody", user.pw_uid))
    for user in users:
        if user.pw_uid != 0:
            return user.pw_uid, user.pw_gid
    raise EmbeddedError(f"this system knows no user but root, and PostgreSQL refuses root: {ADVICE}")


def is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def command_works(argv: Sequence[str]) -> bool:
    """Whether a short command is there and succeeds."""
    if shutil.which(argv[0]) is None:
        return False
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    return done.returncode == 0


def choose_identity(
    *,
    uid: int | None = None,
    gid: int | None = None,
    known: Callable[[int], bool] = is_known,
    works: Callable[[Sequence[str]], bool] = command_works,
    other: Callable[[], tuple[int, int]] = known_user,
) -> Identity:
    """Ourselves if PostgreSQL accepts that, else a user namespace, else (as root) the user `nobody`."""
    uid = os.geteuid() if uid is None else uid
    gid = os.getegid() if gid is None else gid
    if uid != 0 and known(uid):
        return Identity((), uid, gid)
    other_uid, other_gid = other()
    mapped = ("unshare", "--user", f"--map-user={other_uid}", f"--map-group={other_gid}", "--")
    if works([*mapped, "true"]):
        return Identity(mapped, uid, gid)
    if uid != 0:
        raise EmbeddedError(f"uid {uid} has no user name and `unshare --user` is refused: {ADVICE}")
    dropped = (
        "setpriv",
        f"--reuid={other_uid}",
        f"--regid={other_gid}",
        "--clear-groups",
        "--pdeathsig=INT",  # changing the uid cleared what launch.py set
        "--",
    )
    if works([*dropped, "true"]):
        return Identity(dropped, other_uid, other_gid, private_folder=True)
    raise EmbeddedError(f"PostgreSQL refuses root, and `unshare --user` and `setpriv` are refused: {ADVICE}")
