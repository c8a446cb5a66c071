"""How the window feels and how fast it learns while somebody paints.

    python benchmarks/responsiveness.py

It needs a display (``xvfb-run -s "-screen 0 1600x1000x24"`` will do). napari shows
the simulated nuclei, 512 x 512 pixels; strokes are painted with mouse events at 60 Hz
on the canvas; a new U-Net is trained, and then predicts 4096 x 4096 pixels, in
the engine. First come single strokes on nuclei, while the net knows little.
Every 10 ms a timer of Qt notes how late it is: that is the delay of the event loop.
Idle is a paused training, with the same layers on screen. Training alone is without
previews and with nobody at the mouse. The phases take turns, because other programs
disturb some of them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

OUT = Path(__file__).parent / "results" / "responsiveness.json"
LARGE = 8
IDLE, ALONE, TRAINING = "paused", "training alone, no preview", "training"
STROKE = "stroke to preview"


def measure(seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """Return the figures of all phases."""
    # napari reads where the user's folders are when it is imported.
    for kind in ("CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME"):
        os.environ[f"XDG_{kind}"] = tempfile.mkdtemp(prefix="napari-unet-")
    from window import Window, places, run

    window = Window()
    panel, live = window.panel, window.live
    delays: dict[str, list[float]] = defaultdict(list)
    steps: dict[str, int] = defaultdict(int)

    def add(name: str, *, painting: bool = False) -> None:
        late, done = window.phase(seconds, painting=painting)
        delays[name] += late
        steps[name] += done

    window.paint_some()
    panel.config = replace(panel.config, checkpoint_minutes=60.0)
    base = panel.train.base
    base.setCurrentIndex(base.findText("From scratch: U-Net"))
    panel.train.start.click()
    run(120, lambda: window.seen)
    strokes = [window.stroke_to_preview(*at) for at in places(window.truth, 6, seed=9)]
    for _ in range(rounds):
        panel.train.pause.click()
        run(2)
        add(IDLE)
        add(f"{IDLE}, painting", painting=True)
        panel.train.pause.click()
        panel.train.preview.setChecked(False)
        # The engine takes all cores when nobody has painted for a while.
        run(6)
        add(ALONE)
        panel.train.preview.setChecked(True)
        run(6)
        add(TRAINING)
        add(f"{TRAINING}, painting", painting=True)

    panel.train.stop.click()
    run(60, lambda: not live.running)

    large = np.tile(window.image.data, (LARGE, LARGE))
    window.viewer.add_image(large, name="large", visible=False)
    window.viewer.layers.selection.active = window.scribbles
    window.widget.image_panel.images.setCurrentText("large")
    window.widget.prediction_panel.start()
    run(60, lambda: "tile" in window.widget.prediction_panel.controls.status.text())
    add("predicting 4096 x 4096, painting", painting=True)
    window.widget.prediction_panel.cancel()
    run(30, lambda: not window.widget.prediction_panel.running)
    window.viewer.close()

    phases = {name: percentiles(late) for name, late in delays.items()}
    for name, done in steps.items():
        if done:
            phases[name]["steps/s"] = round(done / rounds / seconds, 2)
    phases[STROKE] = summary(strokes)
    return phases


def percentiles(late: list[float]) -> dict[str, float]:
    """Return what of the delays is told."""
    values = np.percentile(late, (50, 95, 99, 100))
    names = ("p50", "p95", "p99", "max")
    return {name: round(float(v), 1) for name, v in zip(names, values, strict=True)}


def summary(strokes: list[tuple[float, float]]) -> dict[str, float | None]:
    """Return the median and the longest time of the strokes that were learnt from.

    None stands for a stroke that was not shown while one waited.
    """
    kept = [stroke for stroke in strokes if math.isfinite(stroke[0])]
    told = {"strokes": len(strokes), "held out": len(strokes) - len(kept)}
    for name, times in zip(("learnt", "shown"), zip(*kept, strict=True), strict=True):
        for word, value in (("median", np.median(times)), ("longest", max(times))):
            finite = math.isfinite(value)
            told[f"{name}, {word} s"] = round(float(value), 2) if finite else None
    return told


def targets(phases: dict[str, dict[str, float]]) -> dict[str, tuple[float, float]]:
    """Return what was measured, and what it should be at most or at least."""
    alone = phases[ALONE]["steps/s"]
    idle, training = phases[f"{IDLE}, painting"], phases[f"{TRAINING}, painting"]
    return {
        "p99 while training / idle, at most": (training["p99"] / idle["p99"], 1.25),
        "longest delay while training, ms, at most": (training["max"], 150),
        "speed while painting, at least": (training["steps/s"] / alone, 0.6),
        "speed with previews, at least": (phases[TRAINING]["steps/s"] / alone, 0.95),
        "stroke learnt and previewed, s, at most": (
            phases[STROKE]["learnt, longest s"] or math.inf,
            3,
        ),
        "stroke shown as painted, median s, at most": (
            phases[STROKE]["shown, median s"] or math.inf,
            3,
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=8, help="of each phase")
    parser.add_argument("--rounds", type=int, default=3, help="of all phases in turn")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    phases = measure(options.seconds, options.rounds)
    print(
        f"{'delay in ms':<40}",
        *(f"{n:>8}" for n in ("p50", "p95", "p99", "max")),
        end="",
    )
    print(f"{'steps/s':>9}")
    for name, figures in phases.items():
        if name != STROKE:
            print(f"{name:<40}", *(f"{v:8.1f}" for v in figures.values()))
    print()
    print(*(f"{k}: {v}" for k, v in phases[STROKE].items()), sep="\n")
    print()
    compared = targets(phases)
    for name, (value, target) in compared.items():
        kept = value >= target if "least" in name else value <= target
        print(f"{name:<45} {target:8.2f} {value:8.2f} {'kept' if kept else 'missed'}")
    report = {
        "seconds a phase": options.seconds,
        "rounds": options.rounds,
        "load before": round(load, 2),
        "cores": os.cpu_count(),
        "phases": phases,
        "targets": {
            name: {
                "target": target,
                "measured": round(value, 3) if math.isfinite(value) else None,
            }
            for name, (value, target) in compared.items()
        },
        "python": platform.python_version(),
        "machine": platform.platform(),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
