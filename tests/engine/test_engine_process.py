"""The life of the second process: real ones, killed for real."""

import contextlib
import errno
import io
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import engine_test_jobs as jobs
import numpy as np
import psutil
import pytest
import windows

from napari_unet.engine import Engine
from napari_unet.engine.logs import KEPT, new_log
from napari_unet.engine.process import start
from napari_unet.errors import DeviceError, EngineError, ImageError

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def gone(pid, seconds=60):
    """Wait until a process has ended (a zombie has)."""
    with contextlib.suppress(psutil.NoSuchProcess):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
            time.sleep(0.02)
        return False
    return True


def computing(pid):
    """Wait until an engine that was about to compute does."""
    engine = psutil.Process(pid)
    before = engine.cpu_times().user
    while engine.cpu_times().user < before + 0.3:
        time.sleep(0.02)


def test_it_starts_with_the_first_request_and_is_kept(engine):
    assert engine.pid is None
    assert list(engine.request(jobs.Count(3))) == [0, 1, 2]
    pid = engine.pid
    assert engine.ask(jobs.Count(2)) == 1
    assert engine.pid == pid
    engine.close()
    assert gone(pid)
    with pytest.raises(EngineError, match="closed"):
        engine.ask(jobs.Count(1))
    engine.close()


def test_closing_removes_the_session(engine):
    shared = engine.share(np.arange(4))
    engine.start()
    folder = Path(shared.path).parent
    assert folder.is_dir()
    engine.close()
    assert not folder.exists()


def test_a_dropped_engine_ends(tmp_path):
    engine = Engine(tmp_path)
    shared = engine.array((3,), np.uint8)
    engine.start()
    pid = engine.pid
    del engine
    assert gone(pid)
    assert not Path(shared.path).parent.exists()


def test_the_key_is_neither_in_the_arguments_nor_in_the_environment(
    engine, monkeypatch
):
    made, make = [], secrets.token_bytes

    def note(n):
        made.append(make(n))
        return made[-1]

    monkeypatch.setattr(secrets, "token_bytes", note)
    engine.start()
    process = psutil.Process(engine.pid)
    said = " ".join([*process.cmdline(), *process.environ().values()])
    (key,) = (secret for secret in made if len(secret) == 32)
    assert key.hex() not in said
    assert ".sock" not in said


def test_the_engine_loads_no_gui(warm_engine):
    loaded = warm_engine.ask(jobs.Modules())
    assert "torch" in loaded
    assert not {"napari", "qtpy", "PyQt5.QtCore", "PyQt6.QtCore"} & set(loaded)


def test_the_viewers_end_loads_no_torch():
    code = (
        "import sys, napari_unet.engine.messages, napari_unet.engine; "
        "heavy = {'torch', 'skimage', 'dask', 'zarr', 'scipy'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@posix
def test_a_kill_is_told_and_the_next_request_starts_anew(engine):
    shared = engine.share(np.arange(4))
    answers = engine.request(jobs.Count(10**6, 0.01))
    assert next(answers) == 0
    pid = engine.pid
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineError, match=r"memory ran out.*painted is safe"):
        list(answers)
    assert engine.ask(jobs.Count(2)) == 1
    assert engine.pid != pid
    assert shared.open().sum() == 6


@posix
def test_a_crash_is_told_by_its_signal(engine):
    with pytest.raises(EngineError, match=r"SIGSEGV.*\.log"):
        engine.ask(jobs.Die(signal.SIGSEGV))


def test_an_exit_is_told_with_its_last_words_to_all_who_wait(engine):
    waiting = [engine.request(jobs.Count(10**6, 0.01)) for _ in range(3)]
    assert [next(answers) for answers in waiting] == [0, 0, 0]
    for answers in (engine.request(jobs.Die(words="no more tissue")), *waiting):
        with pytest.raises(EngineError, match='exit code 3, "no more tissue"'):
            list(answers)


def test_a_program_that_is_no_engine_is_told(tmp_path):
    command = (sys.executable, "-c", "raise SystemExit('no such device')")
    with pytest.raises(EngineError, match=r'did not start.*"no such device"'):
        Engine(tmp_path, command).start()
    with pytest.raises(EngineError, match=r"could not be started.*Install"):
        Engine(tmp_path, ("no-such-program",)).start()


def test_a_failure_keeps_its_class_and_its_words(warm_engine):
    answers = warm_engine.request(jobs.Wrong("user"))
    assert next(answers) == "begun"
    with pytest.raises(
        ImageError, match=r"^This image has 4 channels; the model takes 1\.$"
    ):
        next(answers)


@pytest.mark.parametrize("how", ["bug", "unsendable"])
def test_a_bug_is_to_be_reported_and_the_engine_goes_on(warm_engine, how):
    pid = None
    with pytest.raises(EngineError, match=r"Please report.*\.log") as caught:
        for _ in warm_engine.request(jobs.Wrong(how)):
            pid = warm_engine.pid
    log = Path(str(caught.value).split("'")[-2])
    assert "Traceback" in log.read_text()
    assert warm_engine.ask(jobs.Count(2)) == 1
    assert warm_engine.pid == pid


def test_after_a_failure_of_cuda_the_engine_starts_anew(engine):
    waiting = engine.request(jobs.Count(10**6, 0.01))
    assert next(waiting) == 0
    pid = engine.pid
    with pytest.raises(DeviceError, match=r"\(CUDA error: an illegal .*\)\. Try again"):
        list(engine.request(jobs.Wrong("cuda")))
    with pytest.raises(EngineError, match="starts anew"):
        list(waiting)
    assert engine.ask(jobs.Count(2)) == 1
    assert engine.pid != pid


VIEWER = """
import sys
import engine_test_jobs as jobs
from napari_unet.engine import Engine
from engine_command import COMMAND
engine = Engine(None, COMMAND)
shared = engine.array((5,), "u1")
request = jobs.Compute() if "compute" in sys.argv else jobs.Count(10**6, 0.05)
if "learn" in sys.argv:
    request = jobs.Learn(sys.argv[-1])
for event in engine.request(request):
    print(engine.pid, shared.path, flush=True)
    if "exit" in sys.argv:
        sys.exit()
"""


@pytest.fixture
def viewer(tmp_path):
    """Start a process that starts an engine; give it and what it printed."""
    started = []

    def start(*how):
        process = subprocess.Popen(
            [sys.executable, "-c", VIEWER, *how],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
                "XDG_STATE_HOME": str(tmp_path),
            },
        )
        started.append(process)
        pid, path = process.stdout.readline().split()
        return process, int(pid), Path(path).parent

    yield start
    for process in started:
        process.kill()
        process.communicate()


@posix
@pytest.mark.parametrize("how", ["count", "compute"])
def test_no_orphan_is_left_when_the_viewer_is_killed(viewer, how):
    process, pid, folder = viewer(how)
    assert psutil.pid_exists(pid)
    assert folder.is_dir()
    if how == "compute":
        computing(pid)
    process.kill()
    assert gone(pid)
    assert not folder.exists()


@posix
def test_what_was_learnt_is_kept_when_the_viewer_is_killed(viewer, tmp_path):
    process, pid, _ = viewer("learn", str(tmp_path / "weights"))
    process.stdout.readline()
    process.kill()
    assert gone(pid)
    assert int((tmp_path / "weights").read_text()) >= 2


def test_the_engine_ends_when_the_viewer_exits(viewer):
    process, pid, folder = viewer("exit")
    assert process.wait(60) == 0
    assert gone(pid)
    assert not folder.exists()


@posix
def test_closing_ends_an_engine_that_hangs(engine, monkeypatch):
    monkeypatch.setattr("napari_unet.engine.link.QUIT", 0.2)
    engine.start()
    pid = engine.pid
    os.kill(pid, signal.SIGSTOP)
    engine.close()
    assert gone(pid)


def test_logs_are_kept_but_not_for_ever(tmp_path):
    for i in range(KEPT + 5):
        (tmp_path / f"engine-2020{i:02}.log").touch()
    log = new_log(tmp_path, tmp_path)
    names = [p.name for p in sorted(tmp_path.iterdir())]
    assert len(names) == KEPT
    assert names[0] == "engine-202006.log"
    assert names[-1] == log.name


@windows.linux
def test_a_log_that_windows_keeps_does_not_send_the_new_one_elsewhere(
    tmp_path, monkeypatch
):
    for i in range(KEPT):
        (tmp_path / f"engine-2020{i:02}.log").touch()
    windows.like_windows(monkeypatch)
    with (tmp_path / "engine-202000.log").open("ab"):
        assert new_log(tmp_path, tmp_path / "session").parent == tmp_path


def test_last_words_keep_their_letters(engine, monkeypatch):
    # As Windows is in western Europe.
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    with pytest.raises(EngineError, match="in C:/Users/Jürgen"):
        engine.ask(jobs.Die(words="no file in C:/Users/Jürgen"))


def test_a_pipe_that_breaks_as_on_windows_is_no_error(tmp_path, monkeypatch):
    class Broken(io.BytesIO):
        def write(self, _):
            raise OSError(errno.EINVAL, "Invalid argument")

    def popen(*_, **__):
        return SimpleNamespace(stdin=Broken())

    monkeypatch.setattr(subprocess, "Popen", popen)
    start(["python"], tmp_path / "log", {})


def test_a_log_that_cannot_be_kept_goes_with_the_session(tmp_path):
    (tmp_path / "file").touch()
    assert new_log(tmp_path / "file" / "logs", tmp_path).parent == tmp_path
