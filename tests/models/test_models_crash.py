"""A process that is killed while it saves leaves a whole model behind."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
import torch

from napari_unet.models import build, load_model, save_model

# Saves over models in child processes; each kills itself at another of the steps that
# touch the disk. Prints how each ended.
SAVE_AND_DIE = """
import os, shutil, signal, sys
from pathlib import Path
from napari_unet.models import build, load_model, save_model

at = steps = 0

def dying(function):
    def step(*args, **kwargs):
        global steps
        steps += 1
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return step

folders = sys.argv[1:]
other = build(load_model(folders[0]).spec, seed=9)
for owner, name in [(os, "replace"), (shutil, "rmtree"), (Path, "write_bytes"),
                    (Path, "write_text"), (Path, "mkdir"), (os, "fsync")]:
    setattr(owner, name, dying(getattr(owner, name)))
for at, folder in enumerate(folders, 1):
    child = os.fork()
    if not child:
        save_model(other, folder)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def same(a, b):
    return all(torch.equal(a[key], b[key]) for key in a | b)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_kill_at_any_step_leaves_the_old_or_the_new_model(model, tmp_path):
    folders = [tmp_path / str(at) / "model" for at in range(1, 17)]
    for folder in folders:
        save_model(model, folder)
    command = [sys.executable, "-c", SAVE_AND_DIE, *map(str, folders)]
    ends = subprocess.run(command, capture_output=True, text=True, check=True)
    codes = [int(line) for line in ends.stdout.split()]
    assert codes.count(-signal.SIGKILL) > 5
    assert codes[-1] == 0

    old, new = model.net.state_dict(), build(model.spec, seed=9).net.state_dict()
    left = [load_model(folder).net.state_dict() for folder in folders]
    assert all(same(state, old) or same(state, new) for state in left)
    assert same(left[0], old)
    assert same(left[-1], new)
    for folder in folders:
        save_model(model, folder)
        assert same(load_model(folder).net.state_dict(), old)


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be synced there")
def test_a_model_is_on_the_disk_before_the_old_one_goes(model, tmp_path, monkeypatch):
    folder = tmp_path / "model"
    save_model(model, folder)
    steps = []

    def noting(function, name_of):
        def step(*args, **kwargs):
            steps.append(name_of(*args))
            return function(*args, **kwargs)

        return step

    monkeypatch.setattr(os, "fsync", noting(os.fsync, lambda fd: os.fstat(fd).st_ino))
    monkeypatch.setattr(os, "replace", noting(os.replace, lambda path, to: "renamed"))
    remove = noting(shutil.rmtree, lambda path, *_, **__: f"removed {path.name}")
    monkeypatch.setattr(shutil, "rmtree", remove)
    save_model(model, folder)
    parts = [folder / "weights.safetensors", folder / "model.json", folder]
    inodes = [path.stat().st_ino for path in (*parts, tmp_path)]
    gone = "removed .model-replaced"
    assert steps[: steps.index(gone, 5) + 1] == [
        *inodes[:3], gone, "renamed", "renamed", inodes[3], gone
    ]  # fmt: skip
