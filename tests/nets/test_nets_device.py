from types import SimpleNamespace

import psutil
import pytest
import torch

from napari_unet.errors import DeviceError
from napari_unet.nets import choice
from napari_unet.nets.choice import choose_device
from napari_unet.nets.device import Device, autocast, free_memory


def test_auto_takes_the_first_that_is_there():
    device, notes = choose_device()
    assert device.name == choice.available_devices()[0]
    assert notes == ()


def test_the_cpu_is_always_there():
    device, notes = choose_device("cpu")
    assert device.name == "cpu" and notes == ()
    assert device.precision in ("bf16", "fp32")
    assert free_memory(device) > 1 << 20


@pytest.mark.parametrize("wanted", ["cuda:99", "gpu", "", "cuda:x"])
def test_a_device_that_is_not_there_is_refused(wanted):
    with pytest.raises(DeviceError, match="Choose"):
        choose_device(wanted)


def test_a_device_that_fails_is_reported_and_the_cpu_used(monkeypatch):
    # torch's "meta" computes shapes but no numbers: there, and of no use.
    monkeypatch.setattr(choice, "available_devices", lambda: ["meta", "cpu"])
    device, (note,) = choose_device("auto")
    assert device == choose_device("cpu")[0]
    assert "meta" in note and "self-test" in note


def test_a_driver_that_does_not_start_is_reported_and_the_cpu_used(monkeypatch):
    # Here torch has no CUDA, or has one but no such card.
    monkeypatch.setattr(choice, "available_devices", lambda: ["cuda:77", "cpu"])
    device, (note,) = choose_device("auto")
    assert device == choose_device("cpu")[0]
    assert "'cuda:77' failed its self-test (" in note


def test_a_device_that_knows_no_bf16_works_in_single_precision(monkeypatch):
    def refuse_bf16(net, device):
        # In these words MPS does before macOS 14.
        if device.precision == "bf16":
            raise TypeError("BFloat16 is not supported on MPS")
        return net.to(memory_format=device.memory_format)

    monkeypatch.setattr(choice, "move", refuse_bf16)
    choice._tried.cache_clear()
    assert choice.try_device("cpu").precision == "fp32"
    choice._tried.cache_clear()


def test_a_gpu_is_timed_with_work_that_fills_it(monkeypatch):
    pixels = {}

    def run(net, x):
        pixels[x.device.type] = x.numel()
        return torch.zeros(1)

    monkeypatch.setattr(choice, "_run", run)
    for name in ("meta", "cpu"):
        choice._measure(*choice._small_net(), Device(name))
    assert pixels["meta"] > 700**2
    assert pixels["cpu"] < 100**2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_autocast_sets_the_precision_of_convolutions(precision):
    device = Device("cpu", precision)
    conv = torch.nn.Conv2d(1, 1, 3)
    with autocast(device):
        assert conv(torch.rand(1, 1, 5, 5)).dtype == device.dtype


def test_the_self_test_leaves_the_threads_alone():
    choice._tried.cache_clear()
    before = torch.get_num_threads()
    choose_device("cpu")
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("device", [Device("cpu", "fp16"), Device("meta", "bf16")])
def test_nets_are_trained_in_bf16_or_in_single_precision(device):
    # fp16 loses gradients; "meta" has no autocast, as MPS before torch 2.5.
    conv = torch.nn.Conv2d(1, 1, 3, device=device.name)
    with autocast(device):
        image = torch.zeros(1, 1, 5, 5, device=device.name)
        assert conv(image).dtype == torch.float32


def test_an_apple_gpu_has_the_memory_of_the_computer(monkeypatch):
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 5 << 30)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 2 << 30)
    free = SimpleNamespace(available=4 << 30)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    # What torch keeps for later is free for the next tile.
    assert free_memory(Device("mps")) == 7 << 30
