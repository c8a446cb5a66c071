"""``napari-unet train``, ended by a signal or with its terminal."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from napari_unet.models import load_model


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_what_was_learnt(folders, tiny, tmp_path, number):
    images, labels, _ = folders
    out = tmp_path / "mine"
    process = subprocess.Popen(
        [
            sys.executable, "-c", "from napari_unet.cli import main; main()",
            "train", "--images", images, "--labels", labels, "--base", tiny,
            "--out", out, "--device", "cpu", "--json",
        ],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    assert "stepped" in process.stdout.readline()
    process.send_signal(number)
    rest, _ = process.communicate(timeout=60)
    assert json.loads(rest.splitlines()[-1])["event"] == "stopped"
    assert process.returncode == 0
    assert load_model(out).spec.name == "mine"


# What nohup does first.
IGNORE = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "


@pytest.mark.skipif(os.name == "nt", reason="terminals are closed in another way")
@pytest.mark.parametrize(
    ("ignored", "first"), [(False, None), (False, signal.SIGINT), (True, None)]
)
def test_a_terminal_that_is_closed(folders, tiny, tmp_path, ignored, first):
    images, labels, _ = folders
    out = tmp_path / "mine"
    ours, terminal = os.openpty()
    process = subprocess.Popen(
        [
            sys.executable, "-c",
            (IGNORE if ignored else "") + "from napari_unet.cli import main; main()",
            "train", "--images", images, "--labels", labels, "--base", tiny,
            "--out", out, "--device", "cpu", "--json", "--steps", "30",
        ],
        stdout=subprocess.PIPE if ignored else terminal,
        stderr=subprocess.DEVNULL if ignored else terminal,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while b"stepped" not in shown:
        shown += process.stdout.readline() if ignored else os.read(ours, 1000)
    if first is not None:
        process.send_signal(first)
        # It is to be heard before the next one.
        time.sleep(0.02)
    process.send_signal(signal.SIGSTOP)
    os.close(ours)
    # The shell tells of it, and the system once the shell has ended.
    for number in (signal.SIGHUP, signal.SIGCONT, signal.SIGHUP):
        process.send_signal(number)
    process.communicate(timeout=60)
    # All may be written and no signal heeded any more when the last one comes.
    assert process.returncode in (0, -signal.SIGHUP)
    assert load_model(out).spec.name == "mine"
    kept = json.loads((tmp_path / "mine-checkpoints" / "checkpoints.json").read_text())
    assert (kept[-1]["step"] == 30) is ignored
