"""StarDist, Cellpose 3, InstanSeg and this project, trained in the same minutes.

    python benchmarks/peers.py --data DIR [--minutes 12] [--threads 2]
    python benchmarks/peers.py --data DIR --few 1,3,10 --few-minutes 3 --few-base MODEL
    python benchmarks/peers.py --data DIR --only stardist,own --json
    python benchmarks/peers.py --again 5 [--threads 2]

DIR holds ``nuclei/index.csv``, ``nuclei/images`` and ``nuclei/masks`` (BBBC038); its
grey fluorescence images count.  Each tool has a process of its own, in an environment
of its own that is made on first use, and as many threads of the CPU.  It trains on
`train` from random weights for the same minutes, what it builds and compiles for that
included; chooses its thresholds on `val` for the same score, which takes no minutes;
and finds the objects of `test`, which are scored here.  `peers/` has a worker for each
tool, with its settings.

The columns:

pooled    average precision of all objects together, at an IoU of 0.50, 0.75 and 0.90
mean      the same as a mean over images
MP/s      pixels of the `test` images by the seconds from pixels to objects, one image
          after the other, the model loaded and warm
minutes   that training took, its steps beside

With ``--few N`` only N images of `train`, drawn by the seed from those with five nuclei
or more, are learnt from; `val` stays as it is.  ``own_base`` is this project again,
beginning with the model of ``--few-base``.  ``--minutes 0`` leaves the rest out.
``--again N`` trains nothing, but times this project and the fastest peer, as they were
trained last, in turns, N times.
Results are kept after each tool, beside those of other tools from earlier runs; what a
worker said is in ``benchmarks/cache/peers/runs``.
"""

import argparse
import csv
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import reduce
from importlib.metadata import version
from operator import add
from pathlib import Path
from typing import Any

import numpy as np

from napari_unet.images import open_image, read_labels
from napari_unet.metrics import score_objects

HERE = Path(__file__).parent
CACHE = HERE / "cache" / "peers"
OUT = HERE / "results" / "peers.json"
IOU = ("0.50", "0.75", "0.90")
MIN_NUCLEI = 5
FASTEST = ("stardist", "own")
# None is the environment that this runs in. The peers get this one's torch.
PACKAGES: dict[str, tuple[str, ...] | None] = {
    "stardist": ("stardist", "tensorflow"),
    "cellpose": ("cellpose<4", "torch"),
    "instanseg": ("instanseg-torch", "edt", "monai", "seaborn", "torch"),
    "own": None,
}
THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)

Row = dict[str, str]


@dataclass(frozen=True)
class Run:
    """One tool to be trained: what on, and for how long."""

    tool: str
    label: str
    minutes: float
    threads: int
    seed: int
    train: list[Row]
    base: str | None = None


def rows(data: Path, split: str) -> list[Row]:
    with (data / "nuclei" / "index.csv").open(newline="") as file:
        every = list(csv.DictReader(file))
    return [r for r in every if r["split"] == split and r["kind"] == "fluo"]


def python_of(tool: str) -> Path:
    """Return the Python of a tool's environment, which is made if there is none."""
    packages = PACKAGES[tool]
    if packages is None:
        return Path(sys.executable)
    folder = CACHE / tool
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    ready = folder / "ready"
    if not ready.exists():
        print(f"Installing {tool} ...", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        torch = f"torch=={version('torch').partition('+')[0]}"
        wanted = [torch if p == "torch" else p for p in packages]
        install = [python, "-m", "pip", "install", "--quiet", *wanted]
        subprocess.run(install, check=True, stdout=sys.stderr)
        ready.touch()
    return python


def installed(tool: str, python: Path) -> dict[str, str]:
    """Return the versions of what a tool is."""
    names = [p.partition("<")[0] for p in PACKAGES[tool] or ("torch",)]
    code = (
        "import json, sys; from importlib.metadata import version;"
        "print(json.dumps({n: version(n) for n in sys.argv[1:]}))"
    )
    out = subprocess.run(
        [python, "-c", code, *names], check=True, capture_output=True, text=True
    )
    found: dict[str, str] = json.loads(out.stdout)
    return found


def environment(tool: str, threads: int) -> dict[str, str]:
    """Return the variables for a worker: its threads, and no graphics card."""
    env = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
    env |= {"TF_NUM_INTEROP_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"}
    env |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
    path = env.pop("PYTHONPATH", None)
    if tool == "own":
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), path]))
    return env


def write_task(folder: Path, run: Run, data: Path) -> None:
    """Lay out what a worker needs, as `peers/task.py` says."""
    shutil.rmtree(folder, ignore_errors=True)
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    every = [*run.train, *rows(data, "val"), *rows(data, "test")]
    for row in every:
        name = row["id"]
        image = open_image(data / "nuclei" / "images" / f"{name}.png")
        labels = read_labels(data / "nuclei" / "masks" / f"{name}.tif")
        pixels = image.read(image.whole(), (0,))[0]
        np.save(folder / "images" / f"{name}.npy", np.asarray(pixels, np.uint8))
        # The worker may not see the truth of what it is scored on.
        if row["split"] != "test":
            np.save(folder / "labels" / f"{name}.npy", labels.astype(np.int32))
    lines = ["id,split", *(f"{row['id']},{row['split']}" for row in every)]
    (folder / "split.csv").write_text("\n".join(lines) + "\n")
    settings = {"minutes": run.minutes, "threads": run.threads, "seed": run.seed}
    settings["base"] = str(Path(run.base).resolve()) if run.base else None
    (folder / "task.json").write_text(json.dumps(settings))


def work(tool: str, threads: int, folder: Path) -> int:
    """Let the worker of a tool do its task; return its exit code."""
    with (folder / "log.txt").open("w") as log:
        done = subprocess.run(
            [python_of(tool), HERE / "peers" / f"run_{tool}.py", folder],
            env=environment(tool, threads),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return done.returncode


def time_again(times: int, threads: int) -> dict[str, Any]:
    """Return MP/s of what was trained last, by tool, the tools in turns."""
    speeds: dict[str, list[float]] = {tool: [] for tool in FASTEST}
    for _ in range(times):
        for tool, found in speeds.items():
            folder = CACHE / "runs" / tool
            if not (folder / "result.json").exists():
                raise SystemExit(f"{tool} was not trained yet: run without --again")
            task = json.loads((folder / "task.json").read_text())
            task |= {"threads": threads, "again": True}
            (folder / "task.json").write_text(json.dumps(task))
            if work(tool, threads, folder):
                raise RuntimeError(f"{tool} failed; see {folder / 'log.txt'}")
            result = json.loads((folder / "result.json").read_text())
            found.append(round(result["mp_per_second"], 3))
    medians = {tool: float(np.median(found)) for tool, found in speeds.items()}
    ratio = round(medians["own"] / medians["stardist"], 2)
    return {"mp_per_second": speeds, "own to stardist": ratio}


def score(folder: Path, data: Path) -> dict[str, Any]:
    scores = []
    for row in rows(data, "test"):
        truth = read_labels(data / "nuclei" / "masks" / f"{row['id']}.tif")
        found = read_labels(folder / "found" / f"{row['id']}.tif", truth.shape)
        scores.append(score_objects(truth, found))
    pooled = reduce(add, scores).ap
    return {
        "ap_pooled": {t: pooled[t] for t in IOU},
        "ap_mean": {t: float(np.mean([s.ap[t] for s in scores])) for t in IOU},
        "images": len(scores),
    }


def measure(run: Run, data: Path) -> dict[str, Any]:
    """Train, tune, predict and score; an error of the worker is part of the result."""
    python = python_of(run.tool)
    folder = CACHE / "runs" / run.label
    write_task(folder, run, data)
    started = time.monotonic()
    code = work(run.tool, run.threads, folder)
    settings = {
        "versions": installed(run.tool, python),
        "limit_minutes": run.minutes,
        "threads": run.threads,
        "seed": run.seed,
        "train_images": len(run.train),
    }
    if code:
        tail = (folder / "log.txt").read_text(errors="replace").splitlines()[-12:]
        print(f"{run.label} failed:", *tail, sep="\n", file=sys.stderr)
        return {"error": tail[-1] if tail else str(code), **settings}
    figures = json.loads((folder / "result.json").read_text())
    whole = (time.monotonic() - started) / 60
    return {**score(folder, data), **figures, "whole_minutes": whole, **settings}


def drawn(data: Path, n: int, seed: int) -> list[Row]:
    """Return `n` images to learn from; fewer are always among more."""
    every = [r for r in rows(data, "train") if int(r["nuclei"]) >= MIN_NUCLEI]
    order = np.random.default_rng(seed).permutation(len(every))
    return [every[i] for i in order[:n]]


def runs(args: argparse.Namespace) -> list[tuple[str, str, Run]]:
    """Return what is to be run, each with its place in the document."""
    tools = [tool for tool in PACKAGES if tool in args.only.split(",")]
    common = {"threads": args.threads, "seed": args.seed}
    planned: list[tuple[str, str, Run]] = []
    if args.minutes:
        train = rows(args.data, "train")
        for tool in tools:
            run = Run(tool, tool, args.minutes, train=train, **common)
            planned.append(("full", tool, run))
    for n in (int(n) for n in args.few.split(",") if n):
        train = drawn(args.data, n, args.seed)
        variants: list[tuple[str, str, str | None]] = [(t, t, None) for t in tools]
        if args.few_base and "own" in tools:
            variants.append(("own_base", "own", args.few_base))
        for name, tool, base in variants:
            label = f"{name}-{n}"
            run = Run(tool, label, args.few_minutes, train=train, base=base, **common)
            planned.append((f"few_{n}", name, run))
    return planned


def machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def table(document: dict[str, Any]) -> str:
    head = (
        f"{'':10} {'pooled':17}   {'mean':17}   {'MP/s':>6} {'minutes':>8} {'steps':>6}"
    )
    lines = []
    for part in [p for p in document if p == "full" or p.startswith("few_")]:
        lines += ["", part.replace("_", " "), head]
        for name, row in document[part].items():
            if "error" in row:
                lines.append(f"{name:10} {row['error']}")
                continue
            pooled, mean = (
                " ".join(f"{row[key][t]:5.3f}" for t in IOU)
                for key in ("ap_pooled", "ap_mean")
            )
            lines.append(
                f"{name:10} {pooled}   {mean}   {row['mp_per_second']:6.2f} "
                f"{row['minutes']:8.2f} {row['steps']:6d}"
            )
    return "\n".join(lines[1:])


def main() -> None:
    default = Path(os.environ.get("NAPARI_UNET_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--minutes", type=float, default=12, help="0: few images only")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(PACKAGES), help="tools, by commas")
    parser.add_argument("--few", default="", help="numbers of images, e.g. 1,3,10")
    parser.add_argument("--few-minutes", type=float, default=3)
    parser.add_argument("--few-base", help="a model trained on other kinds of image")
    parser.add_argument("--again", type=int, default=0, help="only time, so often")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--json", action="store_true", help="print the whole document")
    args = parser.parse_args()
    unknown = set(args.only.split(",")) - set(PACKAGES)
    if unknown:
        parser.error(f"--only: {', '.join(unknown)}; there are {', '.join(PACKAGES)}")
    document = json.loads(args.out.read_text()) if args.out.exists() else {}
    document["machine"] = machine()
    if args.again:
        timed = time_again(args.again, args.threads)
        document.setdefault("again", {})[f"{args.threads} threads"] = timed
        args.out.write_text(json.dumps(document, indent=1) + "\n")
        print(json.dumps(timed, indent=1))
        return
    for part, name, run in runs(args):
        print(f"{part}: {name} ...", file=sys.stderr, flush=True)
        try:
            result = measure(run, args.data)
        except subprocess.CalledProcessError as error:
            result = {"error": str(error)}
        document.setdefault(part, {})[name] = result
        args.out.parent.mkdir(exist_ok=True)
        args.out.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document, indent=1) if args.json else table(document))


if __name__ == "__main__":
    main()
