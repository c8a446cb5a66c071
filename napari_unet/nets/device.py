"""A device that a net runs on: how precisely, and how much memory it has."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import psutil
import torch

if TYPE_CHECKING:
    from napari_unet.nets.net import SegmentationNet

Precision = Literal["bf16", "fp16", "fp32"]

DTYPES: dict[Precision, torch.dtype] = {
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp32": torch.float32,
}


@dataclass(frozen=True)
class Device:
    """What a net runs on.

    Attributes
    ----------
    name : str
        For torch: "cpu", "cuda:0", "mps".
    precision : {"bf16", "fp16", "fp32"}
        Of the convolutions.
    channels_last : bool
        Whether tensors are kept with the channels of a pixel side by side.
    label : str
        For humans.
    """

    name: str
    precision: Precision = "fp32"
    channels_last: bool = False
    label: str = "CPU"

    def suiting(self, net: SegmentationNet) -> Device:
        """Return the device as a net can use it: some need full precision."""
        return Device(self.name, label=self.label) if net.full_precision else self

    @property
    def dtype(self) -> torch.dtype:
        """The type of number of `precision`."""
        return DTYPES[self.precision]

    @property
    def memory_format(self) -> torch.memory_format:
        """What `channels_last` is called in torch."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


def move(net: SegmentationNet, device: Device) -> SegmentationNet:
    """Bring a net, in place, to a device in its precision and order of memory."""
    net.to(device.name, device.dtype)
    # Before torch 2.14 the annotation of `to` lacks this argument.
    net.to(memory_format=device.memory_format)  # type: ignore[call-overload, unused-ignore]
    return net


def autocast(device: Device) -> AbstractContextManager[object]:
    """Return a context in which a net is trained: convolutions in bf16 or in fp32.

    Not in fp16, where gradients of single pixels are too small to be told from zero;
    and in bf16 where torch can: not on MPS before 2.5.
    """
    kind = torch.device(device.name).type
    if device.precision != "bf16" or not torch.amp.is_autocast_available(kind):
        return nullcontext()
    return torch.autocast(kind, device.dtype)


def free_memory(device: Device) -> int:
    """Return how many bytes can still be allocated on a device."""
    kind = torch.device(device.name).type
    if kind == "cuda":
        unused = torch.cuda.memory_reserved(device.name) - torch.cuda.memory_allocated(
            device.name
        )
        return int(torch.cuda.mem_get_info(device.name)[0] + unused)
    if kind == "mps":
        # The computer's own memory, which other programs take from, too.
        unused = (
            torch.mps.driver_allocated_memory() - torch.mps.current_allocated_memory()
        )
        return int(psutil.virtual_memory().available + unused)
    return int(psutil.virtual_memory().available)


def empty_cache(device: Device) -> None:
    """Give back the memory that torch keeps for later."""
    kind = torch.device(device.name).type
    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()
