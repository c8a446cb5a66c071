"""How long a user waits: for imports, for the panel, for the first prediction.

    python benchmarks/startup.py

It needs a display (``xvfb-run`` will do). A prediction is timed from the click on
Predict to the moment when both layers are drawn, on the simulated nuclei, 512 x 512.
"cold" is a click at once after the panel has been opened, before the engine is there.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

REPEATS = 5
OUT = Path(__file__).parent / "results" / "startup.json"

IMPORT = """
import sys, time
{before}
started = time.perf_counter()
import {module}
print(time.perf_counter() - started)
assert "torch" not in sys.modules
"""


def time_import(module: str, before: str = "") -> float:
    """Return the median seconds that importing `module` takes a new process."""
    code = IMPORT.format(module=module, before=before)
    command = [sys.executable, "-W", "ignore", "-c", code]
    runs = [subprocess.check_output(command, text=True) for _ in range(REPEATS)]
    return statistics.median(float(run.splitlines()[-1]) for run in runs)


def time_panel() -> dict[str, float]:
    """Return the seconds to open the panel and to predict, cold and warm."""
    import napari
    from napari.layers import Layer
    from qtpy.QtCore import QEventLoop
    from qtpy.QtWidgets import QApplication

    from napari_unet.gui.samples import nuclei

    viewer = napari.Viewer()
    for data in nuclei():
        viewer.add_layer(Layer.create(*data))
    QApplication.processEvents()

    started = time.perf_counter()
    from napari_unet.gui.widget import UnetWidget

    widget = UnetWidget(viewer)
    viewer.window.add_dock_widget(widget, name="U-Net")
    QApplication.processEvents()
    times = {"open the panel": time.perf_counter() - started}

    def click() -> float:
        loop = QEventLoop()
        widget.prediction_panel.ended.connect(loop.quit)
        started = time.perf_counter()
        widget.prediction_panel.controls.predict.click()
        loop.exec_() if hasattr(loop, "exec_") else loop.exec()
        QApplication.processEvents()
        if len(viewer.layers) != 4:
            raise SystemExit(widget.prediction_panel.controls.status.text())
        return time.perf_counter() - started

    times["first prediction, cold"] = click()
    times["next prediction, warm"] = statistics.median(click() for _ in range(REPEATS))
    viewer.close()
    return times


def main() -> None:
    # For --help: there is nothing to choose.
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    gui = "napari_unet.gui.widget"
    times = {
        "import napari_unet": time_import("napari_unet"),
        f"import {gui} inside napari": time_import(gui, "import napari, napari.qt"),
        **time_panel(),
    }
    for what, seconds in times.items():
        print(f"{what:<45} {1000 * seconds:8.0f} ms")
    machine = {"python": platform.python_version(), "machine": platform.platform()}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"seconds": times, **machine}, indent=2) + "\n")


if __name__ == "__main__":
    main()
