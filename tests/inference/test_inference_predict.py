import subprocess
import sys

import numpy as np
import pytest
import torch
from threshold_model import threshold_model

from napari_unet.errors import DeviceError, ImageError, UnetError
from napari_unet.images import (
    Image,
    IntensityRange,
    choose_channels,
    image_from_array,
    measure_intensity,
)
from napari_unet.inference import (
    Cancelled,
    Labels,
    PlaneDone,
    Planned,
    PredictConfig,
    Predicted,
    TileDone,
    VolumeDone,
    Warned,
    numbering,
    predict,
)
from napari_unet.inference.objects import find_objects
from napari_unet.inference.prepare import prepare
from napari_unet.models import Model
from napari_unet.nets import UNet
from napari_unet.nets.choice import choose_device

ON_CPU = PredictConfig(device="cpu", min_size=0)


def squares(*corners, shape=(100, 120), side=10):
    pixels = np.zeros(shape, np.uint8)
    for y, x in corners:
        pixels[y : y + side, x : x + side] = 200
    return pixels


def run(image, model=None, **options):
    return list(predict(model or threshold_model(), image, config=ON_CPU, **options))


class Recorder:
    """An array that notes how much of it is read at once."""

    def __init__(self, data):
        self._data = data
        self.shape, self.dtype = data.shape, data.dtype
        self.largest = 0

    def __getitem__(self, index):
        part = self._data[index]
        self.largest = max(self.largest, part.size)
        return part


class SmallMemory(UNet):
    """A net that runs out of memory above some size, as a GPU's allocator does."""

    def forward(self, x):
        if x.shape[-1] > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return super().forward(x)


def with_small_memory(most):
    model = threshold_model()
    model.net.__class__ = SmallMemory
    model.net.most = most
    return model


def test_finds_what_is_there():
    pixels = squares((5, 5), (40, 60), (90, 110))
    events = run(image_from_array(pixels, "YX"))
    planned, *_, plane, predicted = events
    assert isinstance(planned, Planned) and planned.tiles == 1
    assert plane == PlaneDone({}, 3)
    assert isinstance(predicted, Predicted) and predicted.objects == 3
    np.testing.assert_array_equal(predicted.labels.semantic, pixels > 0)
    assert predicted.labels.semantic.dtype == np.uint8
    assert predicted.labels.instances.dtype == np.uint32
    assert predicted.labels.instances[7, 7] == 1
    assert predicted.labels.instances[95, 115] == 3
    assert predicted.seconds > 0 and predicted.megapixels_per_second > 0


def test_events_count_tiles():
    image = image_from_array(squares((5, 5), (40, 60)), "YX")
    config = PredictConfig(device="cpu", tile=32)
    events = list(predict(threshold_model(), image, config=config))
    done = [e for e in events if isinstance(e, TileDone)]
    assert events[0].tile == 32 and events[0].tiles == len(done) == 16
    assert [e.done for e in done] == list(range(1, 17))
    assert {e.total for e in done} == {16}
    covered = sum(e.region.shape[0] * e.region.shape[1] for e in done)
    assert covered == 100 * 120


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 1), (15, 17), (64, 63)])
def test_any_size_works(shape):
    pixels = np.zeros(shape, np.uint8)
    pixels[-1, -1] = 255
    intensity = IntensityRange((0.0,), (255.0,))
    *_, predicted = run(image_from_array(pixels, "YX"), intensity=intensity)
    np.testing.assert_array_equal(predicted.labels.semantic, pixels > 0)
    assert predicted.objects == 1


@pytest.mark.parametrize("axes", ["TZYX", "ZTYX"])
def test_an_object_has_one_number_in_all_its_slices(axes):
    times = np.stack(
        [
            np.stack([squares((5, 5)), squares((5, 5), (40, 60))]),
            np.stack([squares(), squares((50, 5), (70, 60), (5, 100))]),
        ]
    )
    stack = times if axes == "TZYX" else times.swapaxes(0, 1)
    events = run(image_from_array(stack, axes))
    volumes = [e for e in events if isinstance(e, VolumeDone)]
    assert [v.objects for v in volumes] == [2, 3]
    assert [dict(p) for p in volumes[0].planes] == [{"T": 0, "Z": z} for z in (0, 1)]
    numbers = events[-1].labels.instances
    np.testing.assert_array_equal(numbers > 0, stack > 0)
    assert events[-1].objects == 5
    numbers = numbers if axes == "TZYX" else numbers.swapaxes(0, 1)
    assert [int(n.max()) for n in numbers.reshape(4, 100, 120)] == [1, 2, 0, 5]
    assert numbers[0, 0, 7, 7] == numbers[0, 1, 7, 7]


def test_cells_above_each_other_come_apart_in_a_shallower_valley():
    depths = np.array([220, 200, 120, 200, 220], np.uint8)
    height = np.broadcast_to(depths[:, None, None], (5, 9, 9))
    semantic = np.ones_like(height)
    spec = threshold_model().spec.model_copy(update={"valley": 0.6})
    found = find_objects(semantic, height, spec, ON_CPU)
    assert (found[0] == 1).all() and (found[-1] == 2).all()
    # Side by side a valley of a quarter parts nothing.
    plane = np.ascontiguousarray(height.reshape(5, -1))
    assert find_objects(np.ones_like(plane), plane, spec, ON_CPU).max() == 1


def test_numbers_are_unique_in_a_time_series():
    series = np.stack([squares((5, 5)), squares((5, 5), (40, 60)), squares()])
    *_, predicted = run(image_from_array(series, "TYX"))
    assert predicted.objects == 3
    assert [int(n.max()) for n in predicted.labels.instances] == [1, 3, 0]


def test_a_volume_that_is_cancelled_at_the_end_keeps_its_slices():
    stack = np.stack([squares((5, 5))] * 2)
    labels = Labels(np.zeros(stack.shape, np.uint8), np.zeros(stack.shape, np.uint32))
    # Asked before the tile and the objects of each slice, and then of both together.
    answers = iter([False] * 4 + [True])
    image = image_from_array(stack, "ZYX")
    *_, plane, last = run(image, cancel=lambda: next(answers), out=labels)
    assert isinstance(plane, PlaneDone) and isinstance(last, Cancelled)
    assert [int(n.max()) for n in labels.instances] == [1, 2]


def test_slices_keep_their_own_numbers_where_memory_is_short(monkeypatch):
    monkeypatch.setattr(numbering, "FINDING", 1e15)
    stack = np.stack([squares((5, 5)), squares((5, 5), (40, 60))])
    events = run(image_from_array(stack, "ZYX"))
    assert any("too little memory" in e.text for e in events if isinstance(e, Warned))
    assert [int(n.max()) for n in events[-1].labels.instances] == [1, 3]


def test_only_some_planes():
    stack = np.stack([squares((5, 5)), squares((40, 60)), squares((70, 70))])
    planes = [{"Z": 2}, {"Z": 0}]
    events = run(image_from_array(stack, "ZYX"), planes=planes)
    assert [e.plane for e in events if isinstance(e, PlaneDone)] == planes
    numbers = events[-1].labels.instances
    assert [int(n.max()) for n in numbers] == [2, 0, 1]


def test_writes_into_the_arrays_it_is_given(tmp_path):
    pixels = squares((5, 5), (40, 60))
    semantic = np.lib.format.open_memmap(
        tmp_path / "semantic.npy", "w+", np.uint8, pixels.shape
    )
    instances = np.lib.format.open_memmap(
        tmp_path / "instances.npy", "w+", np.uint32, pixels.shape
    )
    out = Labels(semantic, instances)
    for event in predict(
        threshold_model(), image_from_array(pixels, "YX"), config=ON_CPU, out=out
    ):
        if isinstance(event, TileDone):
            np.testing.assert_array_equal(semantic, pixels > 0)
    assert event.labels is out
    assert instances.max() == 2


def test_without_instances():
    config = PredictConfig(device="cpu", instances="none")
    image = image_from_array(squares((5, 5)), "YX")
    *_, predicted = predict(threshold_model(), image, config=config)
    assert predicted.labels.instances is None
    assert predicted.labels.semantic.any()


def test_settings_of_the_objects_are_obeyed():
    pixels = squares((5, 5), (40, 60))
    pixels[8:11, 8:11] = 0
    pixels[80, 80] = 200
    image = image_from_array(pixels, "YX")
    config = PredictConfig(device="cpu", min_size=2, fill_holes=True)
    *_, predicted = predict(threshold_model(), image, config=config)
    assert predicted.objects == 2
    assert predicted.labels.instances[9, 9] == 1
    assert predicted.labels.semantic[9, 9] == 0


def test_reads_a_large_image_piece_by_piece():
    data = Recorder(squares((5, 5), shape=(300, 400)))
    config = PredictConfig(device="cpu", tile=64)
    events = predict(
        threshold_model(),
        Image(data, "YX"),
        config=config,
        intensity=IntensityRange((0.0,), (200.0,)),
    )
    *_, predicted = events
    assert predicted.objects == 1
    assert data.largest < 100 * 100


def test_intensities_are_those_of_the_whole_image():
    # Each tile by itself would look the same.
    pixels = np.zeros((64, 128), np.uint8)
    pixels[20:30, 20:30] = 60
    pixels[20:30, 84:94] = 200
    image = image_from_array(pixels, "YX")
    config = PredictConfig(device="cpu", tile=64)
    *_, predicted = predict(threshold_model(), image, config=config)
    np.testing.assert_array_equal(predicted.labels.semantic, pixels > 100)

    given = measure_intensity(image, choose_channels(image, 1))
    *_, again = predict(threshold_model(), image, config=config, intensity=given)
    np.testing.assert_array_equal(again.labels.semantic, predicted.labels.semantic)


def test_the_chosen_channel_is_used():
    pixels = np.stack([squares((5, 5)), squares((40, 60), (70, 70))])
    image = image_from_array(pixels, "CYX")
    config = PredictConfig(device="cpu", channels=(1,))
    *_, predicted = predict(threshold_model(3), image, config=config)
    assert predicted.objects == 2
    with pytest.raises(ImageError, match="2 channels"):
        list(predict(threshold_model(3), image, config=ON_CPU))


def test_cancel_ends_before_the_next_tile():
    image = image_from_array(squares((5, 5)), "YX")
    config = PredictConfig(device="cpu", tile=32)
    done = []
    events = predict(
        threshold_model(), image, config=config, cancel=lambda: len(done) >= 3
    )
    for event in events:
        if isinstance(event, TileDone):
            done.append(event)
    assert isinstance(event, Cancelled)
    assert len(done) == 3


def test_cancel_ends_before_the_objects():
    done = []
    image = image_from_array(squares((5, 5)), "YX")
    for event in predict(
        threshold_model(), image, config=ON_CPU, cancel=lambda: bool(done)
    ):
        if isinstance(event, TileDone):
            done.append(event)
    assert isinstance(event, Cancelled)


def test_out_of_memory_halves_the_tile():
    image = image_from_array(
        squares((5, 5), (40, 60), (190, 180), shape=(210, 200)), "YX"
    )
    *_, expected = run(image)
    events = run(image, with_small_memory(100))
    warnings = [e.text for e in events if isinstance(e, Warned)]
    assert len(warnings) == 2
    assert "210" in warnings[0] and "105" in warnings[0]
    done = [e for e in events if isinstance(e, TileDone)]
    assert done[-1].done == done[-1].total == len(done)
    assert events[-1].tile == 64
    for name in ("semantic", "instances"):
        np.testing.assert_array_equal(
            getattr(events[-1].labels, name), getattr(expected.labels, name)
        )


def test_tiles_stay_small_in_the_planes_that_follow():
    stack = np.stack([squares((5, 5), shape=(150, 150))] * 3)
    events = run(image_from_array(stack, "ZYX"), with_small_memory(100))
    assert sum(isinstance(e, Warned) for e in events) == 1
    assert [e.objects for e in events if isinstance(e, PlaneDone)] == [1, 1, 1]


def test_too_little_memory_for_any_tile():
    with pytest.raises(DeviceError, match="even for a tile of 64"):
        run(image_from_array(squares((5, 5)), "YX"), with_small_memory(1))


def test_other_errors_are_not_taken_for_lack_of_memory():
    class Broken(UNet):
        def forward(self, x):
            raise RuntimeError("something else")

    model = threshold_model()
    model.net.__class__ = Broken
    with pytest.raises(RuntimeError, match="something else"):
        run(image_from_array(squares(), "YX"), model)


def test_real_models_give_the_same_twice_and_stay_as_they_are():
    model = threshold_model()
    torch.manual_seed(0)
    net = UNet(1, 2, depth=2, width=4, boundary=True)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    model = Model(model.spec, net)
    rng = np.random.default_rng(0)
    image = image_from_array(rng.integers(0, 4000, (80, 70), np.uint16), "YX")
    *_, first = run(image, model)
    *_, second = run(image, model)
    np.testing.assert_array_equal(first.labels.semantic, second.labels.semantic)
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key])


@pytest.mark.parametrize(
    "setting",
    [
        {"tile": 8},
        {"tile": -1},
        {"channels": (-1,)},
        {"min_size": -1},
        {"instances": "x"},
    ],
)
def test_settings_are_checked_at_birth(setting):
    with pytest.raises(UnetError):
        PredictConfig(**setting)


def test_an_unknown_device_is_refused():
    image = image_from_array(squares(), "YX")
    with pytest.raises(DeviceError, match="gpu9"):
        list(predict(threshold_model(), image, config=PredictConfig(device="gpu9")))


def test_importing_loads_no_torch():
    code = "import sys, napari_unet.inference; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_net_prepared_once_serves_many_images():
    model = threshold_model()
    prepared = prepare(model.net, choose_device(ON_CPU.device)[0])
    for corner in ((10, 20), (60, 70)):
        image = image_from_array(squares(corner), "YX")
        found, expected = (
            run(image, model, **options)[-1].labels
            for options in ({"prepared": prepared}, {})
        )
        assert expected.instances.max() == 1
        np.testing.assert_array_equal(found.instances, expected.instances)
        np.testing.assert_array_equal(found.semantic, expected.semantic)
