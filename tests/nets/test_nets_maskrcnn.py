"""Mask R-CNN, with torchvision or without."""

import importlib.util

import numpy as np
import pytest
import torch
from pretended_gpu import NAME, PretendedGPU

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.errors import ModelError, TrainingError
from napari_unet.images import image_from_array, measure_intensity
from napari_unet.inference import PredictConfig, predict
from napari_unet.models import (
    MaskRCNNArchitecture,
    ModelSpec,
    adapt,
    build,
    load_model,
    missing_extra,
    save_model,
)
from napari_unet.nets import MaskRCNN
from napari_unet.nets.device import Device
from napari_unet.training import (
    Checkpoints,
    Learner,
    TrainConfig,
    TrainingImage,
    TrainingSet,
    train,
)

HERE = importlib.util.find_spec("torchvision") is not None
needs_torchvision = pytest.mark.skipif(not HERE, reason="torchvision is an extra")


def spec(channels=1, classes=("disc",)):
    return ModelSpec(
        name="detector",
        channels=channels,
        classes=ClassScheme.named(*classes),
        architecture=MaskRCNNArchitecture(),
    )


def discs(side=128):
    y, x = np.mgrid[:side, :side]
    truth = np.zeros((side, side), np.uint32)
    for i, (cy, cx) in enumerate(
        ((cy, cx) for cy in range(20, side, 40) for cx in range(20, side, 40)), start=1
    ):
        truth[(y - cy) ** 2 + (x - cx) ** 2 < 12**2] = i
    noise = np.random.default_rng(0).normal(0, 0.05, truth.shape)
    return truth, ((truth > 0) + noise).astype(np.float32)


def training_image(key, pixels, truth, verified=True):
    image = image_from_array(pixels, "YX", name=key)
    annotation = Annotation.of(image)
    if verified:
        annotation.write_objects(image.whole(), truth)
        annotation.verify(image.whole())
    else:
        annotation.write_scribbles(image.whole(), (truth > 0).astype(np.uint8) + 1)
    return TrainingImage(key, image, (0,), measure_intensity(image, (0,)), annotation)


@pytest.mark.skipif(HERE, reason="torchvision is installed")
def test_without_torchvision_it_says_what_to_install():
    with pytest.raises(ModelError, match=r"napari-unet-annotator\[maskrcnn\]"):
        build(spec())
    assert "[maskrcnn]" in missing_extra("maskrcnn")
    assert missing_extra("unet") is None


class Detector(torch.nn.Module):
    def forward(self, images, targets):
        self.seen = images, targets
        return {"loss": images[0].sum()}


def test_objects_are_told_to_a_gpu_as_boxes_and_masks():
    net = MaskRCNN.__new__(MaskRCNN)
    torch.nn.Module.__init__(net)
    net.detector = Detector()
    objects = torch.zeros(1, 20, 30, dtype=torch.int32)
    objects[0, 2:8, 3:12], objects[0, 10:15, 20:25] = 4, 9
    classes, known = (objects > 0).long(), torch.ones(1, 20, 30, dtype=torch.bool)
    with PretendedGPU() as gpu:
        net.loss(torch.rand(1, 1, 20, 30).to(NAME), objects, classes, known)
        # Each object was looked at on the CPU, where the labels are.
        assert gpu.waits == []
        _, (target,) = net.detector.seen
        assert {t.device.type for t in target.values()} == {NAME}
        assert target["boxes"].cpu().tolist() == [[3, 2, 12, 8], [20, 10, 25, 15]]
        assert target["labels"].cpu().tolist() == [1, 1]
        assert target["masks"].cpu().sum((1, 2)).tolist() == [54, 25]


@needs_torchvision
def test_any_number_of_channels_and_every_size_of_image():
    model = build(spec(channels=5, classes=("a", "b")))
    model.net.eval()
    with torch.no_grad():
        out = model.net(torch.rand(1, 5, 70, 45))
    assert out.shape == (1, 4, 70, 45)
    torch.testing.assert_close(
        out[:, :3].softmax(1).sum(1), torch.ones(1, 70, 45), atol=1e-3, rtol=0
    )


@needs_torchvision
def test_masks_are_laid_into_maps():
    net = build(spec(classes=("a", "b"))).net
    masks = torch.zeros(3, 1, 20, 30)
    masks[0, 0, 2:10, 2:10] = 0.9
    masks[1, 0, 2:10, 10:18] = 0.8
    masks[2, 0, 4:8, 4:8] = 0.7
    found = {
        "masks": masks,
        "scores": torch.tensor([0.9, 0.8, 0.6]),
        "labels": torch.tensor([1, 2, 1]),
    }
    maps = net._laid_out(found, torch.zeros(1, 20, 30))
    classes = maps[:3].argmax(0)
    assert (classes[2:10, 2:10] == 1).all() and (classes[2:10, 10:18] == 2).all()
    assert (classes == 0).sum() == 20 * 30 - 128
    edge = maps[3] > 0
    # The likelier object lies on top, whole; where two meet there is an edge.
    assert edge[5, 9] and edge[5, 10]
    assert not edge[3:9, 3:9].any()
    assert not edge[classes == 0].any()


@needs_torchvision
def test_it_learns_from_objects_and_is_kept(tmp_path):
    torch.manual_seed(0)
    truth, pixels = discs()
    data = TrainingSet(spec())
    data.add(training_image("discs", pixels, truth))
    config = TrainConfig(steps=8, batch=2, crop=64, learning_rate=2e-4)
    learner = Learner(build(spec()), Device("cpu", "bf16", channels_last=True), config)
    assert learner.device.precision == "fp32"
    events = list(train(learner, data, Checkpoints(tmp_path / "checkpoints")))
    losses = [e.loss for e in events if hasattr(e, "loss")]
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:3])
    model = learner.model()
    assert model.spec.valley is not None
    save_model(model, tmp_path / "kept", half=True)
    again = load_model(tmp_path / "kept")
    assert again.spec == model.spec
    image = image_from_array(pixels, "YX")
    *_, predicted = predict(again, image, config=PredictConfig(device="cpu"))
    assert predicted.labels.semantic.shape == truth.shape


@needs_torchvision
def test_strokes_alone_are_not_enough(tmp_path):
    truth, pixels = discs()
    data = TrainingSet(spec())
    data.add(training_image("discs", pixels, truth, verified=False))
    learner = Learner(build(spec()), Device("cpu"), TrainConfig(steps=1))
    with pytest.raises(TrainingError, match="learns from whole objects"):
        next(train(learner, data, Checkpoints(tmp_path)))


@needs_torchvision
def test_objects_nobody_verified_are_blanked():
    net = build(spec()).net.eval()
    seen = []
    net.detector.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    objects = torch.zeros(1, 64, 64, dtype=torch.int32)
    objects[0, 5:20, 5:20] = 3
    objects[0, 5:20, 40:60] = 4
    known = torch.zeros(1, 64, 64, dtype=torch.bool)
    known[:, :, :32] = True
    image = torch.rand(1, 1, 64, 64)
    net.train().loss(image, objects, (objects > 0).long(), known)
    (images, targets) = seen[0]
    assert images[0][:, :, 32:].abs().max() == 0
    assert targets[0]["boxes"].tolist() == [[5, 5, 20, 20]]


@needs_torchvision
def test_classes_keep_their_filters():
    base = build(spec(classes=("a", "b")))
    classes = ClassScheme.named("new", "b", "a")
    new = adapt(base, classes=classes, channels=2, name="other")
    heads, old = new.net.detector.roi_heads, base.net.detector.roi_heads
    box, was = heads.box_predictor.bbox_pred.weight, old.box_predictor.bbox_pred.weight
    assert torch.equal(box[8:12], was[8:12])
    assert torch.equal(box[12:16], was[4:8])
    mask = heads.mask_predictor.mask_fcn_logits.weight
    assert torch.equal(mask[3], old.mask_predictor.mask_fcn_logits.weight[1])


@needs_torchvision
def test_objects_are_found_whole_across_the_seams_of_tiles(monkeypatch):
    truth, pixels = discs(256)
    model = build(spec().model_copy(update={"valley": 0.1}))

    class Perfect(torch.nn.Module):
        """Finds each bright disc; torchvision's part is not what is tested."""

        def forward(self, images):
            from skimage.measure import label

            answers = []
            for image in images:
                found = label(image[0].numpy() > 0.5)
                masks = [
                    torch.from_numpy(found == n) for n in range(1, found.max() + 1)
                ]
                answers.append(
                    {
                        "masks": torch.stack(masks)[:, None].float(),
                        "scores": torch.full((len(masks),), 0.9),
                        "labels": torch.ones(len(masks), dtype=torch.int64),
                    }
                )
            return answers

    model.net.detector = Perfect()
    image = image_from_array(pixels, "YX")
    config = PredictConfig(device="cpu", tile=64)
    *_, predicted = predict(model, image, config=config)
    found = predicted.labels.instances
    assert found.max() == truth.max()
    pairs = np.unique(np.stack([truth.ravel(), found.ravel()]), axis=1)
    assert np.count_nonzero(pairs.all(axis=0)) == truth.max()
