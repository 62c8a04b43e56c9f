"""Writing: the old text or the new one, whatever happens meanwhile, and nobody's newer text is lost."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cachekey.cli import main
from cachekey.disk import exchange, journal, writing
from cachekey.disk.journal import restore
from cachekey.disk.writing import tidy, write

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may do that"
)
NOBODY = 65534
OLD = b"FROM old\r\n" * 300
NEW = b"FROM new\n" * 500
CHANGED = "it has changed since it was read"


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of one's own for copies."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setenv("LOCALAPPDATA", str(folder))
    monkeypatch.setattr(journal.tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "work/Dockerfile"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def leftovers(file: Path, state: Path) -> list[str]:
    beside = [item.name for item in file.parent.iterdir() if item.name.startswith(".cachekey")]
    return beside + [str(item) for item in state.rglob("*") if item.is_file()]


def as_nobody(file: Path, old: bytes, new: bytes) -> str:
    """Write as a user who may do little and return what is said of it."""
    program = f"""
        import os
        from cachekey.disk import exchange
        from cachekey.disk.writing import write
        exchange._call()  # another user may not be able to load what this needs
        os.setgroups([])
        os.setgid({NOBODY})
        os.setuid({NOBODY})
        print(write({str(file)!r}, {old!r}, {new!r}))
    """
    for above in file.parents:
        # What pytest makes is for its own user's eyes only.
        if above.stat().st_mode & 0o005 == 0:
            above.chmod(above.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# -- what stays -----------------------------------------------------------------------------------


@posix
def test_writing_keeps_mode_and_links_and_leaves_nothing_behind(file: Path, state: Path) -> None:
    file.chmod(0o640)
    link = file.with_name("link")
    link.symlink_to("Dockerfile")
    assert write(str(link), OLD, NEW) is None
    assert file.read_bytes() == NEW
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert leftovers(file, state) == []


@as_root
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 1234, 5678)
    assert write(str(file), OLD, NEW) is None
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 5678)
    assert file.read_bytes() == NEW


@as_root
def test_the_owner_stays_when_a_new_file_could_not_have_it(tmp_path: Path, state: Path) -> None:
    """A file of root's that everybody may write to, in such a folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    folder.chmod(0o777)
    state.chmod(0o777)
    file = folder / "Dockerfile"
    file.write_bytes(OLD)
    file.chmod(0o666)
    assert as_nobody(file, OLD, NEW) == "None"
    assert file.read_bytes() == NEW
    assert (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode)) == (0, 0o666)
    assert leftovers(file, state) == []


@posix
@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (NEW, OLD), (OLD, b""), (b"", NEW)])
def test_all_names_of_a_file_see_the_new_text(
    file: Path, state: Path, old: bytes, new: bytes
) -> None:
    file.write_bytes(old)
    other = file.with_name("other")
    os.link(file, other)
    assert write(str(file), old, new) is None
    assert file.read_bytes() == other.read_bytes() == new
    assert file.stat().st_nlink == 2
    assert leftovers(file, state) == []


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="needs extended attributes")
def test_attributes_stay(file: Path) -> None:
    try:
        os.setxattr(file, "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    assert write(str(file), OLD, NEW) is None
    assert os.getxattr(file, "user.note") == b"kept"


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert write(str(tmp_path / "no"), b"", b"x") == "no such file or directory"
    assert not (tmp_path / "no").exists()


def test_a_read_only_file_stays_as_it_is(
    file: Path, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    # Root, who runs many a container, may write whatever the mode says.
    monkeypatch.setattr(writing.os, "access", lambda path, mode: False)
    assert write(str(file), OLD, NEW) == "permission denied"
    assert file.read_bytes() == OLD
    assert leftovers(file, state) == []


# -- where a new file cannot be -------------------------------------------------------------------


@as_root
@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (NEW, OLD)])
def test_a_folder_that_takes_no_new_file(
    tmp_path: Path, state: Path, old: bytes, new: bytes
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    file = folder / "Dockerfile"
    file.write_bytes(old)
    os.chown(file, NOBODY, NOBODY)
    state.chmod(0o777)
    folder.chmod(0o555)
    assert as_nobody(file, old, new) == "None"
    assert file.read_bytes() == new
    assert leftovers(file, state) == []


@contextmanager
def mounted(*arguments: str) -> Iterator[None]:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", arguments[-1]], check=True)


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="mounts as Linux does")
def test_a_file_that_is_mounted_by_itself(file: Path, tmp_path: Path, state: Path) -> None:
    place = tmp_path / "place/Dockerfile"
    place.parent.mkdir()
    place.touch()
    with mounted("--bind", str(file), str(place)):
        assert write(str(place), OLD, NEW) is None
        assert file.read_bytes() == place.read_bytes() == NEW
        assert leftovers(place, state) == []


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="mounts as Linux does")
@pytest.mark.parametrize("way", ["replace", "in place", "in a folder of others"])
def test_a_full_disk(tmp_path: Path, state: Path, way: str) -> None:
    """There is no room for more: the old text stays to its last byte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", str(disk)):
        file = disk / "Dockerfile"
        old, new = b"o" * 4096, b"n" * 20_000
        file.write_bytes(old)
        if way == "in place":
            os.link(file, disk / "other")
        fill(disk / "filler")
        if way == "in a folder of others":
            os.chown(file, NOBODY, NOBODY)
            state.chmod(0o777)
            disk.chmod(0o555)
            assert as_nobody(file, old, new) == "no space left on device"
        else:
            assert write(str(file), old, new) == "no space left on device"
        assert file.read_bytes() == old
        assert leftovers(file, state) == []


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"f" * 4096)


def test_without_a_place_for_a_copy_nothing_is_written_in_place(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.link(file, file.with_name("other"))
    monkeypatch.setattr(journal, "_folders", lambda: iter((str(file / "no"),)))
    assert write(str(file), OLD, NEW) is not None
    assert file.read_bytes() == OLD


@as_root
def test_a_folder_of_others_holds_no_copies(file: Path, state: Path) -> None:
    """Whoever could write there could make us write anywhere."""
    (state / "cachekey").mkdir()
    os.chown(state / "cachekey", NOBODY, NOBODY)
    forged = journal._written(str(file), b"EVIL\n" * 700, OLD)
    (state / "cachekey/x.copy").write_bytes(forged)
    assert restore() == []
    assert file.read_bytes() == OLD
    os.link(file, file.with_name("other"))
    assert write(str(file), OLD, NEW) is None
    assert [item.name for item in (state / "cachekey").iterdir()] == ["x.copy"]


# -- somebody else saves --------------------------------------------------------------------------


def by_renaming(file: Path, data: bytes) -> None:
    other = file.with_name("theirs")
    other.write_bytes(data)
    os.replace(other, file)


def in_place(file: Path, data: bytes) -> None:
    file.write_bytes(data)


Save = Callable[[Path, bytes], None]
SAVES = pytest.mark.parametrize("save", [by_renaming, in_place])


def test_a_file_that_changed_before_is_left_alone(file: Path, state: Path) -> None:
    file.write_bytes(b"newer")
    assert write(str(file), OLD, NEW) == CHANGED
    assert file.read_bytes() == b"newer"
    assert leftovers(file, state) == []


def when(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, act: Callable[[], None]
) -> None:
    """Do something right before the first call of a function."""
    real, done = getattr(owner, name), []

    def wrapper(*arguments: object) -> object:
        if not done:
            done.append(True)
            act()
        return real(*arguments)

    monkeypatch.setattr(owner, name, wrapper)


@SAVES
@pytest.mark.parametrize("moment", ["fsync", "_swap"])
def test_a_save_while_the_new_file_is_written(
    file: Path, state: Path, monkeypatch: pytest.MonkeyPatch, save: Save, moment: str
) -> None:
    if moment == "_swap" and exchange._call() is None:
        pytest.skip("files cannot change places here")
    owner = writing.os if moment == "fsync" else writing
    when(monkeypatch, owner, moment, lambda: save(file, b"newer"))
    assert write(str(file), OLD, NEW) == CHANGED
    assert file.read_bytes() == b"newer"
    assert leftovers(file, state) == []


@SAVES
def test_a_second_save_while_the_first_is_put_back(
    file: Path, state: Path, monkeypatch: pytest.MonkeyPatch, save: Save
) -> None:
    if exchange._call() is None:
        pytest.skip("files cannot change places here")
    real, calls = writing.exchange, []

    def exchanging(one: str, other: str) -> bool:
        # In front of the first step, and then in front of those that give the text back.
        if len(calls) < 3:
            save(file, b"save %d" % len(calls))
        calls.append(one)
        return real(one, other)

    monkeypatch.setattr(writing, "exchange", exchanging)
    assert write(str(file), OLD, NEW) == CHANGED
    assert file.read_bytes() == b"save 2"
    assert leftovers(file, state) == []


@SAVES
def test_where_files_cannot_change_places(
    file: Path, monkeypatch: pytest.MonkeyPatch, save: Save
) -> None:
    monkeypatch.setattr(writing, "exchange", lambda one, other: False)
    assert write(str(file), OLD, NEW) is None
    assert file.read_bytes() == NEW
    when(monkeypatch, writing.os, "fsync", lambda: save(file, b"newer"))
    assert write(str(file), NEW, OLD) == CHANGED
    assert file.read_bytes() == b"newer"


@SAVES
def test_a_save_before_a_file_is_written_in_place(
    file: Path, state: Path, monkeypatch: pytest.MonkeyPatch, save: Save
) -> None:
    os.link(file, file.with_name("other"))
    when(monkeypatch, journal.os, "fsync", lambda: save(file, b"newer"))
    assert write(str(file), OLD, NEW) == CHANGED
    assert file.read_bytes() == b"newer"
    assert leftovers(file, state) == []


@SAVES
def test_no_save_is_lost_at_any_moment(file: Path, save: Save) -> None:
    """Somebody saves once, at some moment of our writing: then that is what stands there."""
    if exchange._call() is None:
        pytest.skip("files cannot change places here")
    dice = random.Random(7)
    changed = 0
    for number in range(300):
        file.write_bytes(OLD)
        theirs = b"save %d\n" % number * 400
        pause = dice.uniform(0, 0.0015)
        started = threading.Event()

        def saving(
            pause: float = pause, theirs: bytes = theirs, started: threading.Event = started
        ) -> None:
            started.wait()
            time.sleep(pause)
            save(file, theirs)

        saver = threading.Thread(target=saving)
        saver.start()
        started.set()
        changed += write(str(file), OLD, NEW) is not None
        saver.join()
        assert file.read_bytes() == theirs
    assert changed > 0, "a test of nothing"


# -- killed ---------------------------------------------------------------------------------------

LOOP = """
    import sys
    from cachekey.disk.writing import write
    old, new = (open(name, "rb").read() for name in sys.argv[2:4])
    print("ready", flush=True)
    while True:
        assert write(sys.argv[1], old, new) is None
        old, new = new, old
"""


@posix
@pytest.mark.parametrize("way", ["replace", "in place"])
def test_killed_at_any_moment(file: Path, tmp_path: Path, state: Path, way: str) -> None:
    """Old or new and never half; after the next run nothing tells of it."""
    old, new = b"o" * 300_000, b"n" * 450_000
    file.write_bytes(old)
    if way == "in place":
        os.link(file, file.with_name("other"))
    dice, left, halves = random.Random(3), 0, 0
    named = (tmp_path / "old", tmp_path / "new")
    for path, text in zip(named, (old, new), strict=True):
        path.write_bytes(text)
    for _ in range(25):
        if file.read_bytes() == new:
            named = named[::-1]
            old, new = new, old
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(LOOP), str(file), *map(str, named)],
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
        if way == "replace":
            assert file.read_bytes() in (old, new)
        left += bool(leftovers(file, state))
        halves += len(restore())
        tidy([str(file.parent)])
        assert file.read_bytes() in (old, new)
        assert leftovers(file, state) == []
    assert left > 0, "a test of nothing"


class Killed(BaseException):
    """The end of a run."""


def half_written(file: Path, state: Path) -> None:
    """Leave what a run leaves that was killed while it wrote in place."""
    with suppress(Killed), journal.kept(str(file), OLD, NEW):
        file.write_bytes(NEW[:1000] + OLD[1000:])
        raise Killed


def test_a_half_written_file_gets_its_old_text_back(file: Path, state: Path) -> None:
    half_written(file, state)
    assert len(leftovers(file, state)) == 1
    assert restore() == [str(file)]
    assert file.read_bytes() == OLD
    assert leftovers(file, state) == []


def test_what_somebody_made_of_a_half_written_file_stays(file: Path, state: Path) -> None:
    half_written(file, state)
    file.write_bytes(b"# mended by hand\n")
    assert restore() == []
    assert file.read_bytes() == b"# mended by hand\n"
    assert leftovers(file, state) == []


def test_a_copy_that_a_living_run_holds_stays(file: Path, state: Path) -> None:
    with journal.kept(str(file), OLD, NEW):
        file.write_bytes(NEW[:1000] + OLD[1000:])
        if sys.platform != "win32":
            assert restore() == []
            assert len(leftovers(file, state)) == 1


@posix
def test_only_one_s_own_leftovers_are_taken_away(file: Path) -> None:
    held = file.with_name(".cachekey-held.tmp")
    kept = [file.with_name(name) for name in (".cachekey-x", "x.tmp", ".cachekey.tmp")]
    for path in (*kept, held, file.with_name(".cachekey-dead.tmp")):
        path.touch()
    with held.open("rb") as stream:
        assert writing.lock(stream.fileno())
        tidy([str(file.parent)])
    names = {path.name for path in file.parent.iterdir()}
    assert names == {"Dockerfile", held.name, *(path.name for path in kept)}


@posix
def test_the_next_run_of_the_command_line_cleans_up(
    file: Path, state: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    half_written(file, state)
    file.with_name(".cachekey-dead.tmp").touch()
    monkeypatch.chdir(file.parent)
    main(["check"])
    assert len(leftovers(file, state)) == 2, "only --fix writes"
    capfd.readouterr()
    main(["check", "--fix"])
    assert "an interrupted run left it half written" in capfd.readouterr().err
    assert file.read_bytes() == OLD
    assert leftovers(file, state) == []
