"""The command line as a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
import tifffile
from cli_squares import squares

MAIN = "import sys; from napari_unet.cli import main; main()"


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
def test_ctrl_c_ends_at_once_and_leaves_whole_files(image, model, out, tmp_path):
    large = tmp_path / "large.tif"
    tifffile.imwrite(large, squares((4096, 4096)))
    process = start(
        "predict", image, large, "--model", model, "--out", out, "--tile", 16
    )
    assert "3 objects" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest == ""
    assert errors == "Stopped. Images done: 1 of 2.\n"
    assert sorted(p.name for p in out.iterdir()) == [
        "cells_instances.tif",
        "cells_semantic.tif",
    ]


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
@pytest.mark.parametrize("library", ["typer", "torch"])
def test_ctrl_c_while_libraries_are_loaded_is_not_lost(image, model, out, library):
    code = f"""
import os, signal, sys
class Loading:
    def find_spec(self, name, *_):
        if name == {library!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                pass  # as some libraries do
sys.meta_path.insert(0, Loading())
{MAIN}"""
    order = "predict", image, "--model", model, "--out", out
    ended = subprocess.run([sys.executable, "-c", code, *order], capture_output=True)
    assert ended.returncode == -signal.SIGINT  # a shell calls it 130
    assert (ended.stdout, ended.stderr) == (b"", b"")
    assert not out.exists()


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
def test_ctrl_c_ends_an_evaluation_with_the_scores_so_far(model, tmp_path):
    images, masks = tmp_path / "images", tmp_path / "masks"
    for folder in (images, masks):
        folder.mkdir()
        tifffile.imwrite(folder / "a.tif", squares() // 500)
        (folder / "b.tif").touch()
        tifffile.imwrite(folder / "c.tif", squares((4096, 4096)) // 500)
    process = start(
        "evaluate", "--model", model, "--images", images, "--masks", masks, "--json",
        "--report", tmp_path / "report.html",
    )  # fmt: skip
    assert "black and white" in process.stderr.readline()
    assert "b.tif' is an empty file" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    scores, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "Stopped. Images scored: 1 of 3.\n"
    assert json.loads(scores)["images"] == 1
    assert "<b>a" in (tmp_path / "report.html").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text_is_printed(image, model, out):
    strange = os.fsencode(image.parent) + b"/cell\xff.tif"
    os.rename(image, strange)
    process = start("predict", os.fsdecode(strange), "--model", model, "--out", out)
    line, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "cell\\udcff.tif: 3 objects" in line


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_report_of_a_name_that_is_no_text(image, model, tmp_path):
    folders = tmp_path / "images", tmp_path / "masks"
    for folder, pixels in zip(folders, (squares(), squares() > 500), strict=True):
        folder.mkdir()
        tifffile.imwrite(folder / "b.tif", pixels)
        os.rename(folder / "b.tif", os.fsencode(folder) + b"/b\xff.tif")
    page = tmp_path / "report.html"
    process = start(
        "evaluate", "--model", model, "--images", folders[0], "--masks", folders[1],
        "--report", page,
    )  # fmt: skip
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.count("\n")) == (0, 1)
    assert "b\\udcff.tif: Its mask is black and white" in errors
    assert "<b>b\\udcff</b>" in page.read_text()


def test_predicting_loads_neither_qt_nor_napari(image, model, out):
    code = f"""
import sys
from napari_unet.cli.app import app
app(["predict", {str(image)!r}, "--model", {str(model)!r}, "--out", {str(out)!r}],
    standalone_mode=False)
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & {{"qtpy", "PyQt5", "PyQt6", "PySide6", "napari", "magicgui",
                        "superqt", "vispy", "pyqtgraph"}}))
"""
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.splitlines()[-1] == "[]"
    assert "3 objects" in output.stdout


@pytest.mark.skipif(os.name == "nt", reason="terminals differ")
@pytest.mark.parametrize("into", ["file", "terminal"])
def test_results_go_where_they_are_sent_while_a_bar_is_on_the_terminal(
    image, model, out, tmp_path, into
):
    ours, terminal = os.openpty()
    order = [image, "--model", model, "--out", out, "--json"]
    with (tmp_path / "results.json").open("w") as file:
        stdout = file if into == "file" else terminal
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "predict", *order],
            stdout=stdout, stderr=terminal, env={**os.environ, "COLUMNS": "1000"},
        )  # fmt: skip
    os.close(terminal)
    shown = b""
    with suppress(OSError):  # its end, on Linux
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert process.wait(60) == 0
    assert b"cells.tif (1/1)" in shown
    lines = (tmp_path / "results.json").read_text().splitlines()
    if into == "terminal":
        lines += re.findall(r"{.*}", shown.decode())
    (line,) = lines
    assert json.loads(line)["objects"] == 3


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_log_on_a_full_disk_is_one_line(image, model, out):
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", MAIN, "predict", image, "--model", model,
             "--out", out],
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == (
        "What is printed goes to a disk that is full. Free some space.\n"
    )
    assert (out / "cells_instances.tif").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
@pytest.mark.parametrize("command", ["models", "info nuclei", "summary unet", "doctor"])
def test_what_is_looked_up_into_a_full_disk_is_one_line(command):
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", MAIN, *command.split()],
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == (
        "What is printed goes to a disk that is full. Free some space.\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other threads elsewhere")
def test_threads_do_not_burn_cores_while_they_wait(image, model, out):
    asked = {**os.environ, "OMP_DISPLAY_ENV": "verbose"}
    process = start("predict", image, "--model", model, "--out", out, env=asked)
    line, settings = process.communicate(timeout=60)
    assert "3 objects" in line
    assert "GOMP_SPINCOUNT = '0'" in settings


def test_a_model_is_described_without_torch(model):
    code = f"""
import sys
from napari_unet.cli.app import app
app(["info", {str(model)!r}], standalone_mode=False)
app(["models"], standalone_mode=False)
print("torch" in sys.modules)
"""
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "classes: background, bright" in output.stdout
    assert output.stdout.splitlines()[-1] == "False"
