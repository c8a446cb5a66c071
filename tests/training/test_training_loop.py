import subprocess
import sys

import numpy as np
import pytest
import torch

from napari_unet.annotation import Annotation, ClassScheme
from napari_unet.errors import DeviceError, ModelError, TrainingError
from napari_unet.images import Region, image_from_array, measure_intensity
from napari_unet.models import Model, ModelSpec, UNetArchitecture, adapt, build
from napari_unet.nets.choice import choose_device
from napari_unet.training import (
    Checkpointed,
    Checkpoints,
    Learner,
    RolledBack,
    Stepped,
    Stopped,
    TrainConfig,
    TrainingImage,
    TrainingSet,
    Validated,
    Warned,
    train,
)

SPEC = ModelSpec(
    name="tiny",
    classes=ClassScheme.named("cell"),
    architecture=UNetArchitecture(depth=1, width=8, max_width=16),
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def picture(key="a", seed=0, side=160):
    """Bright squares on a dark, noisy ground."""
    random = np.random.default_rng(seed)
    truth = np.zeros((side, side), np.uint8)
    for y, x in random.integers(0, side - 20, (12, 2)):
        truth[y : y + 16, x : x + 16] = 1
    pixels = truth * 100 + random.normal(50, 10, truth.shape)
    image = image_from_array(pixels.astype(np.float32), name=key)
    annotation = Annotation.of(image)
    return (
        TrainingImage(key, image, (0,), measure_intensity(image, (0,)), annotation),
        truth,
    )


def paint(image, truth, label, n=6, seed=0):
    """Paint dots of 3x3 pixels of one class where it is."""
    random = np.random.default_rng(seed)
    ys, xs = np.nonzero(truth[1:-1, 1:-1] == label)
    for i in random.choice(len(ys), n, replace=False):
        y, x = int(ys[i]) + 1, int(xs[i]) + 1
        here = Region(y - 1, x - 1, y + 2, x + 2)
        mask = truth[here.slices] == label
        before = image.annotation.scribbles.read(here)
        image.annotation.write_scribbles(here, np.where(mask, label + 1, before))


def prepared(tmp_path, config, images=1):
    data = TrainingSet(SPEC, config.seed)
    for i in range(images):
        image, truth = picture(key=str(i), seed=i)
        paint(image, truth, 0, seed=i)
        paint(image, truth, 1, seed=i + 1)
        data.add(image)
    device, _ = choose_device("cpu")
    learner = Learner(build(SPEC, seed=config.seed), device, config)
    return learner, data, Checkpoints(tmp_path)


def fast(**changes):
    return TrainConfig(
        **{"batch": 2, "crop": 64, "validate_every": 10, "learning_rate": 5e-3}
        | changes
    )


@torch.no_grad()
def answer(learner, image):
    """The class of each pixel."""
    pixels = image.intensity.apply(image.image.read(image.image.whole(), (0,)))
    return learner.average(torch.from_numpy(pixels)[None])[0, :2].argmax(0).numpy()


def accuracy(learner, seed=99):
    image, truth = picture(seed=seed)
    return (answer(learner, image) == truth).mean()


def right(learner, image):
    """The share of the painted pixels that it has right."""
    painted = image.annotation.scribbles.dense()
    return (answer(learner, image) + 1 == painted)[painted > 0].mean()


def test_a_few_strokes_teach_the_net(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=60), images=2)
    events = list(train(learner, data, checkpoints))
    losses = [e.loss for e in events if isinstance(e, Stepped)]
    assert len(losses) == 60
    # The loss of so few labels is not let to zero, and that is no harm.
    assert 0.45 < np.mean(losses[-10:]) < np.mean(losses[:5])
    assert accuracy(learner) > 0.9
    assert isinstance(events[-1], Stopped)
    assert events[-1].last == checkpoints.last
    assert any(isinstance(e, Validated) for e in events)


def test_the_kept_model_is_the_averaged_one(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=12))
    *_, stopped = train(learner, data, checkpoints)
    kept = checkpoints.load(stopped.last).net.state_dict()
    for key, value in learner.average.state_dict().items():
        assert torch.equal(kept[key], value)


def test_new_strokes_are_drawn_from_within_two_steps(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=30, batch=4))
    events = train(learner, data, checkpoints)
    for _ in range(8):
        next(events)
    before = int(data.counts.sum())
    image, truth = data["0"], picture()[1]
    version = image.annotation.version
    paint(image, truth, 1, n=20, seed=7)
    data.refresh("0", image.annotation.changed_since(version))
    steps = [e for e in (next(events), next(events)) if isinstance(e, Stepped)]
    assert steps[0].labelled > before


def weights(net):
    return torch.cat([p.detach().flatten().clone() for p in net.parameters()])


def test_the_average_follows_at_once_after_new_strokes_only(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=100))
    events = (e for e in train(learner, data, checkpoints) if isinstance(e, Stepped))

    def followed(steps):
        """Return how far the average went on the way to where the net is now."""
        before = weights(learner.average)
        for _ in range(steps):
            next(events)
        way = weights(learner.net) - before
        return float((weights(learner.average) - before).norm() / way.norm())

    for _ in range(60):
        next(events)
    assert followed(5) < 0.5
    version = data["0"].annotation.version
    paint(data["0"], picture()[1], 1, n=20, seed=7)
    data.refresh("0", data["0"].annotation.changed_since(version))
    assert followed(5) > 0.6


def test_strokes_that_contradict_a_sure_net_are_learnt_and_no_runaway(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=240))
    image, truth = data["0"], picture()[1]
    events = train(learner, data, checkpoints)
    for event in events:
        if isinstance(event, Stepped) and event.step == 120:
            break
    version = image.annotation.version
    paint(image, truth, 0, n=200, seed=7)
    opposite = image.annotation.scribbles.dense()
    image.annotation.write_scribbles(
        image.image.whole(), np.where(opposite > 0, 3 - opposite, 0)
    )
    data.refresh("0", image.annotation.changed_since(version))
    rest = list(events)
    assert not any(isinstance(e, RolledBack) for e in rest)
    assert np.mean([e.loss for e in rest if isinstance(e, Stepped)][-20:]) < 0.7


def trained_base(folder):
    """A model that is sure, because all pixels of its images were labelled."""
    data = TrainingSet(SPEC)
    for i in range(2):
        image, truth = picture(key=str(i), seed=i)
        image.annotation.write_scribbles(image.image.whole(), truth + 1)
        data.add(image)
    learner = Learner(build(SPEC), choose_device("cpu")[0], fast(steps=80))
    list(train(learner, data, Checkpoints(folder)))
    assert accuracy(learner) > 0.95
    return learner.model()


def test_few_corrections_leave_what_the_base_model_had_right(tmp_path):
    base = trained_base(tmp_path / "base")
    image, truth = picture(seed=5)
    # All that is painted contradicts the base.
    paint(image, 1 - truth, 0, n=3)
    paint(image, 1 - truth, 1, n=3)
    kept = {}
    for shares in (True, False):
        spec = base.spec
        if shares:
            spec = adapt(base, classes=SPEC.classes, channels=1, name="b").spec
        assert spec.refines == shares
        config = fast(steps=60, learning_rate=3e-3)
        learner = Learner(Model(spec, base.net), choose_device("cpu")[0], config)
        corrections = TrainingSet(spec)
        corrections.add(image)
        list(train(learner, corrections, Checkpoints(tmp_path / str(shares))))
        kept[shares] = accuracy(learner)
    assert kept[True] > 0.85
    assert kept[True] > kept[False] + 0.1


def test_the_base_model_gives_way_where_it_is_wrong(tmp_path):
    base = trained_base(tmp_path / "base")
    base = adapt(base, classes=SPEC.classes, channels=1, name="b")
    image, truth = picture(seed=5)
    paint(image, 1 - truth, 0, n=40)
    paint(image, 1 - truth, 1, n=40)
    corrections = TrainingSet(base.spec)
    corrections.add(image)
    learner = Learner(base, choose_device("cpu")[0], fast(steps=80, learning_rate=3e-3))
    before = right(learner, image)
    list(train(learner, corrections, Checkpoints(tmp_path / "more")))
    assert before < 0.1
    assert right(learner, image) > 0.4


def test_says_what_to_paint_when_nothing_or_one_class_is_labelled(tmp_path):
    config = fast(steps=2)
    learner, _, checkpoints = prepared(tmp_path, config)
    data = TrainingSet(SPEC)
    image, truth = picture()
    data.add(image)
    with pytest.raises(TrainingError, match="Nothing is labelled"):
        next(train(learner, data, checkpoints))
    paint(image, truth, 1)
    data.refresh("a")
    with pytest.raises(TrainingError, match="background"):
        next(train(learner, data, checkpoints))


def test_stops_when_told_and_keeps_what_it_has(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast())
    seen = []
    for event in train(learner, data, checkpoints, cancel=lambda: len(seen) >= 5):
        seen.append(event)
    assert learner.steps == 5
    assert isinstance(seen[-1], Stopped)
    assert isinstance(seen[-2], Checkpointed)
    assert checkpoints.load(seen[-1].best).spec == SPEC


def test_weights_that_were_just_kept_are_not_kept_again(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(validate_every=3, steps=3))
    *_, validated, kept, stopped = train(learner, data, checkpoints)
    assert (validated.step, kept.step) == (3, 3)
    assert stopped.last == stopped.best == kept.name
    assert len(checkpoints) == 1
    # Unless somebody went back: then the newest one holds other weights.
    checkpoints.forget_scores()
    for event in train(learner, data, checkpoints, cancel=lambda: True):
        assert event.step == 3
    assert len(checkpoints) == 2


def test_a_runaway_rolls_back_lowers_the_rate_and_goes_on(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=24))
    events = train(learner, data, checkpoints)
    for event in events:
        if isinstance(event, Validated):
            break
    good = {k: v.clone() for k, v in learner.average.state_dict().items()}
    with torch.no_grad():
        next(learner.net.parameters()).fill_(float("nan"))
    event = next(e for e in events if isinstance(e, RolledBack))
    assert event.learning_rate == learner.config.learning_rate / 2
    for key, value in learner.net.state_dict().items():
        assert torch.equal(value, good[key])
    rest = list(events)
    assert isinstance(rest[-1], Stopped)
    assert all(np.isfinite(e.loss) for e in rest if isinstance(e, Stepped))


def test_the_same_seed_gives_the_same_weights(tmp_path):
    states = []
    for run in ("a", "b"):
        learner, data, checkpoints = prepared(tmp_path / run, fast(steps=6))
        list(train(learner, data, checkpoints))
        states.append(learner.average.state_dict())
    for key, value in states[0].items():
        torch.testing.assert_close(value, states[1][key])


@pytest.mark.parametrize("images", [1, 2, 3, 10])
def test_held_out_labels_are_never_drawn(tmp_path, images):
    _, data, _ = prepared(tmp_path, fast(), images=images)
    labelled = drawn = held = 0
    for i in range(images):
        annotation = data[str(i)].annotation
        for region in annotation.labelled():
            known = annotation.classes(region) >= 0
            out = annotation.held_out(region)
            labelled += int(known.sum())
            held += int((known & out).sum())
            drawn += int((known & ~out).sum())
    assert drawn == int(data.counts.sum())
    assert drawn + held == labelled
    in_crops = sum(int((c.classes >= 0).sum()) for c in data.held_out(64))
    assert in_crops <= held
    assert (in_crops > 0) == (held > 0)
    crops, _ = data.draw(4, 64)
    assert (crops.classes >= 0).any()


def test_too_little_memory_takes_smaller_steps(tmp_path, monkeypatch):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=4, batch=4, crop=128))
    whole = Learner.step

    def step(self, crops, counts, pace):
        if crops.image.numel() > 100 * 100:
            raise torch.OutOfMemoryError("out of memory")
        return whole(self, crops, counts, pace)

    monkeypatch.setattr(Learner, "step", step)
    events = list(train(learner, data, checkpoints))
    warned = [e.text for e in events if isinstance(e, Warned)]
    assert [w.partition("goes on with ")[2] for w in warned] == [
        "2 crops of 128 pixels a step.",
        "1 crop of 128 pixels a step.",
        "1 crop of 64 pixels a step.",
    ]
    assert isinstance(events[-1], Stopped)
    assert events[-1].step == 4


def test_says_when_even_the_smallest_step_does_not_fit(tmp_path, monkeypatch):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=4))

    def step(self, crops, counts, pace):
        raise MemoryError

    monkeypatch.setattr(Learner, "step", step)
    with pytest.raises(DeviceError, match="even with one crop of 64 pixels"):
        list(train(learner, data, checkpoints))


def test_too_little_memory_to_validate_takes_smaller_crops(tmp_path):
    config = fast(steps=30, batch=1, crop=128)
    learner, data, checkpoints = prepared(tmp_path, config)

    def see(module, given):
        if module is learner.average and given[0].numel() > 100 * 100:
            raise torch.OutOfMemoryError("out of memory")

    learner.average.register_forward_pre_hook(see)
    events = list(train(learner, data, checkpoints))
    (warned,) = [e.text for e in events if isinstance(e, Warned)]
    assert "goes on with 1 crop of 64 pixels" in warned
    assert [e.step for e in events if isinstance(e, Validated)] == [20, 30]
    assert events[-1].step == 30


def test_says_when_even_the_smallest_look_does_not_fit(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=20, batch=1))

    def see(module, given):
        raise MemoryError

    learner.average.register_forward_pre_hook(see)
    with pytest.raises(DeviceError, match="even with one crop of 64 pixels"):
        list(train(learner, data, checkpoints))


def test_a_full_disk_does_not_end_training(tmp_path):
    learner, data, checkpoints = prepared(tmp_path / "there", fast(steps=21))
    events = train(learner, data, checkpoints)
    seen = [next(event for event in events if isinstance(event, Checkpointed))]
    # A file in the place of the folder fails for root too, as a full disk does.
    checkpoints.folder.rename(tmp_path / "aside")
    checkpoints.folder.write_text("full")
    seen += list(events)
    assert any(isinstance(e, Warned) and "could not be saved" in e.text for e in seen)
    assert seen[-1] == Stopped(21, seen[0].name, seen[0].name)


def test_nothing_kept_at_all_is_an_error(tmp_path):
    (tmp_path / "full").write_text("full")
    learner, data, _ = prepared(tmp_path / "else", fast(steps=2))
    with pytest.raises(ModelError, match="could not be saved"):
        list(train(learner, data, Checkpoints(tmp_path / "full" / "here")))


def test_labels_of_a_class_added_later_are_left_alone(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=3, batch=4))
    before = int(data.counts.sum())
    data["0"].annotation.write_scribbles(Region(0, 0, 64, 64), 3)
    data.refresh("0")
    assert int(data.counts.sum()) <= before
    assert isinstance(list(train(learner, data, checkpoints))[-1], Stopped)


def test_events_and_configurations_need_no_torch():
    code = (
        "import sys; from napari_unet.training import Stepped, TrainConfig; "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_two_trainings_do_not_share_a_folder(tmp_path):
    first = train(*prepared(tmp_path, fast(steps=2)))
    next(first)
    with pytest.raises(TrainingError, match="Another training"):
        next(train(*prepared(tmp_path, fast(steps=2))))
    assert isinstance(list(first)[-1], Stopped)


def test_objects_that_are_accepted_later_tell_their_size(tmp_path):
    learner, data, checkpoints = prepared(tmp_path, fast(steps=4))
    for event in train(learner, data, checkpoints):
        if isinstance(event, Stepped) and event.step == 2:
            where = Region(10, 10, 20, 20)
            data["0"].annotation.write_objects(where, 7)
            data["0"].annotation.verify(where)
            data.refresh("0", [where])
    kept = checkpoints.load(event.last).spec
    assert kept.diameter == pytest.approx(2 * np.sqrt(100 / np.pi))


def test_weights_that_are_gone_back_to_are_judged_anew(tmp_path):
    learner, data, checkpoints = prepared(
        tmp_path, TrainConfig(batch=2, crop=64, validate_every=1)
    )
    weights = learner.model().net.state_dict()
    events = train(learner, data, checkpoints)
    verdicts = (event.verdict for event in events if isinstance(event, Validated))
    assert any(verdict != "starting" for verdict in verdicts)
    learner.restore(weights)
    assert next(verdicts) == "starting"
    events.close()


def test_weights_may_be_exchanged_between_a_step_and_its_validation(tmp_path):
    learner, data, checkpoints = prepared(
        tmp_path, TrainConfig(batch=2, crop=64, validate_every=2)
    )
    weights = learner.model().net.state_dict()
    events = train(learner, data, checkpoints)
    stepped = (event for event in events if isinstance(event, Stepped))
    assert [next(stepped).step for _ in range(2)] == [1, 2]
    learner.restore(weights)
    # Those of before are not judged any more, nor kept as they are now.
    following = []
    for event in events:
        following.append(event)
        if isinstance(event, Validated):
            break
    assert [type(event) for event in following] == [Stepped, Stepped, Validated]
    events.close()
