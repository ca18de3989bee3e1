"""The session's folder: safe paths, listing, reading and writing files."""

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ambient_runner.reports import rfc3339

OWN_FOLDER = ".ambient"
"""What the runner itself keeps here: for nobody to read or to change."""


class PathRefused(Exception):
    """The path leaves the workspace, is the runner's own, or is no ordinary file."""


class PathMissing(Exception):
    """Nothing is there."""


@dataclass(frozen=True)
class Workspace:
    """Works inside one folder, never outside it, whatever links lie in it."""

    root: Path

    def resolve(self, path: str) -> Path:
        """The real path of something inside the workspace. Raises PathRefused, PathMissing."""
        root = self.root.resolve()
        self._check(path)
        try:
            real = (root / path).resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError) as exc:
            # A link to a missing place outside is an escape, not a missing file.
            self._inside(_lexical_target(root / path))
            raise PathMissing("no such file or folder") from exc
        except (OSError, RuntimeError) as exc:
            raise PathRefused("the path cannot be followed") from exc
        return self._inside(real)

    @staticmethod
    def _check(path: str) -> None:
        if "\0" in path or os.path.isabs(path) or ".." in Path(path).parts:
            raise PathRefused("the path must stay inside the workspace")

    def _inside(self, real: Path) -> Path:
        root = self.root.resolve()
        if not real.is_relative_to(root):
            raise PathRefused("the path must stay inside the workspace")
        if real.relative_to(root).parts[:1] == (OWN_FOLDER,):
            raise PathRefused(f"{OWN_FOLDER} is the runner's own")
        return real

    def file(self, path: str) -> Path:
        """An ordinary file inside the workspace."""
        real = self.resolve(path)
        if not stat.S_ISREG(real.stat().st_mode):
            raise PathRefused("the path is not an ordinary file")
        return real

    def listing(self, path: str) -> list[dict[str, Any]]:
        """What lies in a folder, by name; a file gives itself."""
        real = self.resolve(path)
        paths = sorted(real.iterdir(), key=lambda item: item.name) if real.is_dir() else [real]
        own = self.root.resolve() / OWN_FOLDER
        return [item for item in map(self._item, filter(own.__ne__, paths)) if item]

    def write(self, path: str, content: bytes) -> Path:
        """Make or replace a file, as a whole or not at all; its folders are made. Raises PathRefused."""
        self._check(path)
        real = self._inside(_lexical_target(self.root.resolve() / path))
        if real == self.root.resolve() or (real.exists() and not stat.S_ISREG(real.stat().st_mode)):
            raise PathRefused("the path is not an ordinary file")
        try:
            real.parent.mkdir(parents=True, exist_ok=True)
            mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o644
            descriptor, part = tempfile.mkstemp(prefix=".write-", dir=real.parent)
        except OSError as exc:
            raise PathRefused(f"the file cannot be written: {exc.strerror}") from exc
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.chmod(part, mode)
            os.replace(part, real)
        except OSError as exc:
            Path(part).unlink(missing_ok=True)
            raise PathRefused(f"the file cannot be written: {exc.strerror}") from exc
        return real

    def delete(self, path: str) -> None:
        """Delete a file, a link, or a folder with all in it. Raises PathRefused, PathMissing."""
        self._check(path)
        wanted = self.root.resolve() / path
        if wanted == self.root.resolve():
            raise PathRefused("the workspace itself cannot be deleted")
        place = self._inside(self.resolve(str(Path(path).parent)) / wanted.name)
        try:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise PathMissing("no such file or folder") from exc
        except OSError as exc:
            raise PathRefused(f"it cannot be deleted: {exc.strerror}") from exc

    def _item(self, path: Path) -> dict[str, Any]:
        try:
            found = path.lstat()
        except FileNotFoundError:  # deleted while we looked
            return {}
        return {
            "name": path.name,
            "path": str(path.relative_to(self.root.resolve())),
            "isDir": stat.S_ISDIR(found.st_mode),
            "size": found.st_size,
            "modifiedAt": rfc3339(datetime.fromtimestamp(found.st_mtime, UTC)),
        }


def _lexical_target(path: Path) -> Path:
    try:
        return path.resolve(strict=False)
    except (OSError, RuntimeError):
        return Path("/")
