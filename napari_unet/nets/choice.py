"""Which device to run on, and how precisely: what works and measures fastest."""

from __future__ import annotations

import copy
import functools
import math
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_unet.errors import DeviceError
from napari_unet.nets.device import Device, Precision, move
from napari_unet.nets.lean import fold_batch_norms, join_relus
from napari_unet.nets.unet import UNet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_unet.nets.net import SegmentationNet

# Half precision has 8 or 11 bits: far under this where it works, far over where not.
TOLERANCE = 0.1
# Half precision must win by this much, so that chance does not choose it.
CLEARLY = 0.85
# What takes so many times as long as the best is not measured again: half precision
# where the processor only emulates it.
HOPELESS = 2.0
ROUNDS = 3
# So many of the small pictures at once keep a GPU busy for longer than it takes to tell
# it what to do, which takes as long in half precision.
GPU_BATCH = 64
# How a device fails that torch lists. MPS refuses bf16, before macOS 14 and on AMD
# cards, with a TypeError; the last is said of a driver that does not start.
FAILURES = (RuntimeError, AssertionError, TypeError, torch.cuda.DeferredCudaCallError)


def choose_device(wanted: str = "auto") -> tuple[Device, tuple[str, ...]]:
    """Choose a device that works, and the settings that measure fastest on it.

    Parameters
    ----------
    wanted : str
        "auto" takes CUDA, then MPS, then the CPU; or one of "cuda", "cuda:1", "mps",
        "cpu".

    Returns
    -------
    Device
        The CPU where the wanted one fails its self-test.
    tuple of str
        What to tell the user about the choice.

    Raises
    ------
    DeviceError
        If this machine does not have the wanted device.
    """
    there = available_devices()
    name = there[0] if wanted == "auto" else _full_name(wanted)
    if name not in there:
        raise DeviceError(
            f"There is no device '{wanted}' on this computer that torch can use. "
            f"Choose auto or one of: {', '.join(there)}."
        )
    try:
        return try_device(name), ()
    except DeviceError as error:
        return try_device("cpu"), (str(error),)


def available_devices() -> list[str]:
    """Return the names of this machine's devices, the fastest kind first."""
    names = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def try_device(name: str) -> Device:
    """Run a small net on a device and return the fastest precision that is good.

    Good is what is finite and close to single precision on the CPU. A device is tried
    once.

    Raises
    ------
    DeviceError
        If none is good.
    """
    tried = _tried(name)
    if isinstance(tried, str):
        raise DeviceError(tried)
    return tried


@functools.cache
def _tried(name: str) -> Device | str:
    """Return what `try_device` does, or why no precision is good."""
    net, x = _small_net()
    with _one_thread():
        expected = _run(net, x)
    seconds: dict[Device, float] = {}
    why = "its results are wrong"
    try:
        candidates = _candidates(name)
    except FAILURES as error:
        candidates, why = [], _first_line(error)
    # In turns: what else the computer does then slows one as much as the other.
    for _ in range(ROUNDS):
        for candidate in candidates:
            try:
                result, took = _measure(net, x, candidate)
            except FAILURES as error:
                why = _first_line(error)
                continue
            off = (result - expected).abs().max()
            if bool(off <= TOLERANCE * expected.abs().max()):
                seconds[candidate] = min(took, seconds.get(candidate, math.inf))
        bar = HOPELESS * min(seconds.values(), default=math.inf)
        candidates = [c for c in candidates if seconds.get(c, math.inf) < bar]
    best, best_seconds = None, math.inf
    for candidate, took in seconds.items():
        if took < CLEARLY * best_seconds:
            best, best_seconds = candidate, took
    if best is None:
        return (
            f"The device '{name}' failed its self-test ({why}), so the CPU is used. "
            "Update its driver and torch, or choose the CPU."
        )
    return best


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _full_name(wanted: str) -> str:
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", wanted):
        raise DeviceError(
            f"'{wanted}' is no device. Choose auto, cpu, mps, cuda or cuda:1."
        )
    return "cuda:0" if wanted == "cuda" else wanted


def _candidates(name: str) -> list[Device]:
    """Return the precisions to try on a device, single precision first."""
    kind = torch.device(name).type
    label = {"cpu": "CPU", "mps": "Apple GPU"}.get(kind, name)
    half: Precision = "bf16"
    if kind == "cuda":
        label = torch.cuda.get_device_name(name)
        # torch says yes to bf16 where it is only emulated.
        if torch.cuda.get_device_capability(name) < (8, 0):
            half = "fp16"
    # Measured: 1.0 to 1.2 times as fast with fp32, 1.9 times with bf16, on a CPU.
    channels_last = kind != "mps"
    return [Device(name, p, channels_last, label) for p in ("fp32", half)]


def _small_net() -> tuple[SegmentationNet, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = UNet(1, 2, depth=2, width=32, max_width=64).eval()
        return net, torch.rand(1, 1, 96, 96)


@torch.inference_mode()
def _run(net: SegmentationNet, x: Tensor) -> Tensor:
    out: Tensor = net(x)
    # One of them is enough to wait for and to look at.
    return out[:1].float().cpu()


def _measure(net: SegmentationNet, x: Tensor, device: Device) -> tuple[Tensor, float]:
    """Return what the net gives on a device, and the seconds of its best of three."""
    net = copy.deepcopy(net)
    fold_batch_norms(net)
    if device.name == "cpu":
        # As nets predict there: half precision needs more of a processor for that.
        join_relus(net)
    else:
        x = x.repeat(GPU_BATCH, 1, 1, 1)
    move(net, device)
    x = x.to(device.name, device.dtype, memory_format=device.memory_format)
    seconds = []
    with _one_thread():
        for _ in range(4):
            start = time.perf_counter()
            result = _run(net, x)
            seconds.append(time.perf_counter() - start)
    return result, min(seconds[1:])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one core: several wait for each other where other programs run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
