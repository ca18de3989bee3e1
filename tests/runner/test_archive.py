"""The workspace as one file and back: what is kept, what is left out, what is refused."""

import gzip
import hashlib
import io
import os
import subprocess

import pytest
from ambient_runner import archive
from ambient_runner.archive import Cancelled, Corrupted, TooLarge, pack, unpack
from backports import tarfile

LIMIT = 10 * 1024 * 1024


def packed(root, limit=LIMIT):
    file = io.BytesIO()
    return pack(root, file, limit=limit), file.getvalue()


def unpacked(data, root):
    root.mkdir()
    unpack(io.BytesIO(data), root, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return root


def round_trip(tmp_path, root):
    return unpacked(packed(root)[1], tmp_path / "restored")


def git(folder, *arguments):
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@localhost", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def write(path, text="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def everything(root):
    return {
        str(path.relative_to(root)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in root.rglob("*")
    }


def test_what_comes_back_is_what_was_there(tmp_path, root):
    write(root / "file-uploads" / "größe.txt", "ä\n")
    write(root / "empty.txt", "")
    (root / "folder").mkdir()
    (root / "folder" / "raw").write_bytes(bytes(range(256)) * 5000)
    script = write(root / "run.sh")
    script.chmod(0o755)
    (root / "link").symlink_to("folder/raw")
    (root / "dangling").symlink_to("nowhere")
    os.link(root / "run.sh", root / "same.sh")
    (root / os.fsdecode(b"not-utf8-\xff")).write_text("x")
    restored = round_trip(tmp_path, root)
    assert everything(restored) == everything(root)
    assert (restored / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (restored / "run.sh").stat().st_ino == (restored / "same.sh").stat().st_ino
    assert (restored / "empty.txt").stat().st_mtime == (root / "empty.txt").stat().st_mtime


def test_the_same_files_give_the_same_bytes(root):
    for name in ("b", "a", "c/d"):
        write(root / name)
    assert packed(root) == packed(root)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("repo/node_modules/x/index.js", id="node-modules"),
        pytest.param(".venv/bin/python", id="virtual-environment"),
        pytest.param("repo/pkg/__pycache__/m.pyc", id="compiled"),
        pytest.param(".cache/pip/x", id="cache"),
        pytest.param("repo/.mypy_cache/x", id="cache-of-a-checker"),
    ],
)
def test_what_tools_make_again_is_left_out(tmp_path, root, path):
    write(root / path)
    kept = write(root / "repo" / "dist" / "kept.txt")
    restored = round_trip(tmp_path, root)
    assert not (restored / path).exists()
    assert (restored / kept.relative_to(root)).exists()


def test_a_repository_is_whole(tmp_path, root):
    """Also what Git knows in a folder that is left out elsewhere, and a branch with such a name."""
    repository = root / "repos" / "app"
    repository.mkdir(parents=True)
    git(repository, "init", "-q", "-b", "main")
    write(repository / "node_modules" / "ours" / "index.js")
    write(repository / "web" / "node_modules" / "theirs" / "index.js")
    write(repository / ".gitignore", "web/node_modules\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "one")
    git(repository, "branch", "try/node_modules/x")
    write(repository / "staged.txt")
    git(repository, "add", "staged.txt")
    write(repository / "untracked.txt")
    restored = round_trip(tmp_path, root) / "repos" / "app"
    assert git(restored, "status", "--porcelain") == git(repository, "status", "--porcelain")
    assert git(restored, "branch", "-a") == git(repository, "branch", "-a")
    assert git(restored, "fsck") == git(repository, "fsck")
    assert not (restored / "web" / "node_modules").exists()


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("../outside", id="upwards"),
        pytest.param("folder/../../outside", id="upwards-in-the-middle"),
    ],
)
def test_a_link_out_of_the_workspace_is_left_out(tmp_path, root, target):
    (root / "folder").mkdir()
    (root / "folder" / "kept").symlink_to("../folder")
    (root / "link").symlink_to(target)
    summary, data = packed(root)
    assert summary.left_out == 1
    assert sorted(everything(unpacked(data, tmp_path / "restored"))) == ["folder", "folder/kept"]


def test_pipes_and_sockets_are_left_out(root):
    os.mkfifo(root / "pipe")
    assert packed(root)[0].left_out == 1


def test_a_file_that_shrinks_or_goes_meanwhile_spoils_nothing(tmp_path, root, monkeypatch):
    for name in ("a", "b", "c"):
        write(root / name, name * 100_000)
    add = archive._add

    def meanwhile(tar, root, path):
        if path.name == "b":
            path.unlink()
        return add(tar, root, path)

    class Shrinks(archive._Exactly):
        def read(self, size=-1):
            os.truncate(root / "a", 10)
            return super().read(size)

    monkeypatch.setattr(archive, "_add", meanwhile)
    monkeypatch.setattr(archive, "_Exactly", Shrinks)
    restored = round_trip(tmp_path, root)
    assert sorted(everything(restored)) == ["a", "c"]
    assert (restored / "a").stat().st_size == 100_000
    assert (restored / "c").read_text() == "c" * 100_000


def test_too_much_is_refused(root):
    (root / "raw").write_bytes(os.urandom(200_000))
    with pytest.raises(TooLarge):
        packed(root, limit=100_000)
    assert packed(root, limit=300_000)[0].size < 300_000


def test_nobody_waits_any_more(root):
    write(root / "a")
    with pytest.raises(Cancelled):
        pack(root, io.BytesIO(), limit=LIMIT, cancelled=lambda: True)


def tar_of(*entries):
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb") as zipped, tarfile.open(fileobj=zipped, mode="w|") as tar:
        for name, kind, target in entries:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            tar.addfile(info)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no archive", id="no-gzip"),
        pytest.param(gzip.compress(b"no archive" * 100), id="no-tar"),
        pytest.param(tar_of(("a", tarfile.REGTYPE, ""))[:-20], id="cut-off"),
        pytest.param(tar_of(("../a", tarfile.REGTYPE, "")), id="path-upwards"),
        pytest.param(tar_of(("a", tarfile.SYMTYPE, "/etc/passwd")), id="link-to-the-root"),
        pytest.param(tar_of(("a", tarfile.SYMTYPE, "../b")), id="link-upwards"),
        pytest.param(tar_of(("a", tarfile.LNKTYPE, "../b")), id="hard-link-upwards"),
        pytest.param(tar_of(("a", tarfile.CHRTYPE, "")), id="device"),
    ],
)
def test_what_cannot_be_unpacked_is_refused(tmp_path, data):
    with pytest.raises(Corrupted):
        unpacked(data, tmp_path / "restored")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["restored"]


@pytest.mark.parametrize(
    ("size", "sha256", "said"),
    [
        pytest.param(-1, None, "bytes and should have", id="size"),
        pytest.param(0, "0" * 64, "checksum", id="checksum"),
    ],
)
def test_what_is_not_what_was_saved_is_refused_untouched(tmp_path, size, sha256, said):
    data = tar_of(("a", tarfile.REGTYPE, ""))
    with pytest.raises(Corrupted, match=said):
        unpack(
            io.BytesIO(data),
            tmp_path,
            size=len(data) + size,
            sha256=sha256 or hashlib.sha256(data).hexdigest(),
        )
    assert list(tmp_path.iterdir()) == []
