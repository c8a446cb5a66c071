from dataclasses import replace

import pytest

from napari_unet.errors import is_gpu_failure, is_out_of_memory
from napari_unet.inference.memory import choose_tile
from napari_unet.inference.prepare import prepare
from napari_unet.nets import UNet
from napari_unet.nets.device import Device

GIGABYTE = 1 << 30


@pytest.fixture(scope="module")
def net():
    return prepare(UNet(3, 2, width=32), Device("cpu", "bf16", channels_last=True))


def test_tiles_fit_into_the_memory(net):
    tiles = [choose_tile(net, free)[0] for free in (1 << 20, 1 << 28, 1 << 29, 1 << 34)]
    assert tiles == sorted(tiles)
    assert tiles[0] == 64 and tiles[-1] == 1024


def test_a_wish_is_granted(net):
    assert choose_tile(net, 1 << 20, 300) == (300, 1)


def test_a_gpu_gets_batches(net):
    gpu = replace(net, device=Device("cuda:0", "bf16", channels_last=True))
    assert choose_tile(gpu, 40 * GIGABYTE) == (1024, 8)
    assert choose_tile(gpu, 2 * GIGABYTE) == (1024, 1)
    assert choose_tile(gpu, GIGABYTE)[0] < 1024


def test_an_apple_gpu_gets_a_tile_at_a_time(net):
    mps = replace(net, device=Device("mps", "bf16"))
    assert choose_tile(mps, 40 * GIGABYTE) == (1024, 1)


@pytest.mark.parametrize(
    "words",
    [
        "CUDA out of memory. Tried to allocate 2 GiB",
        "MPS backend out of memory (MPS allocated: 5 GB)",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "Invalid buffer size: 19.45 GB",
    ],
)
def test_too_little_memory_has_many_words(words):
    assert is_out_of_memory(RuntimeError(words))
    assert not is_gpu_failure(RuntimeError(words))


def test_single_precision_gets_smaller_tiles(net):
    single = replace(net, device=Device("cpu"))
    assert choose_tile(single, 40 * GIGABYTE)[0] < choose_tile(net, 40 * GIGABYTE)[0]
