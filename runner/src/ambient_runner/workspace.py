"""The session's folder: safe paths for readers, and listing."""

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ambient_runner.reports import rfc3339


class PathRefused(Exception):
    """The path leaves the workspace or is no ordinary file."""


class PathMissing(Exception):
    """Nothing is there."""


@dataclass(frozen=True)
class Workspace:
    """Reads inside one folder, never outside it, whatever links lie in it."""

    root: Path

    def resolve(self, path: str) -> Path:
        """The real path of something inside the workspace."""
        if "\0" in path or os.path.isabs(path) or ".." in Path(path).parts:
            raise PathRefused("the path must stay inside the workspace")
        root = self.root.resolve()
        try:
            real = (root / path).resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError) as exc:
            # A link to a missing place outside is an escape, not a missing file.
            if not _lexical_target(root / path).is_relative_to(root):
                raise PathRefused("the path must stay inside the workspace") from exc
            raise PathMissing("no such file or folder") from exc
        except (OSError, RuntimeError) as exc:
            raise PathRefused("the path cannot be followed") from exc
        if not real.is_relative_to(root):
            raise PathRefused("the path must stay inside the workspace")
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
        return [item for item in map(self._item, paths) if item]

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
