"""What live training does between which two steps, without a process."""

import numpy as np
import pytest
import torch
from engine_training_scene import Answers, Scene, base, train

from napari_unet.annotation import ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.engine.arrays import SharedArray
from napari_unet.engine.jobs import JOBS
from napari_unet.engine.messages import (
    MostUncertain,
    Patch,
    PauseTraining,
    Previewed,
    RemoveImage,
    RollBack,
    RolledBackTo,
    StopTraining,
    UncertainRegion,
    WriteLabels,
)
from napari_unet.engine.scheduler import Scheduler
from napari_unet.engine.state import State
from napari_unet.images import Region
from napari_unet.inference import Cancelled, TileDone
from napari_unet.models import load_model
from napari_unet.training import Checkpointed, Stepped, Stopped, Validated, Warned


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Desk(Answers):
    """A scheduler with the engine's jobs, run by hand."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self.state = State(log="engine.log")
        self.scheduler = Scheduler(JOBS, self.state, self.sent.append)

    def share(self, array):
        return SharedArray.of(self.folder, array)

    def add(self, *requests):
        for request in requests:
            self.scheduler.add(request)

    def ask(self, request):
        """Run until this request has ended; return its events."""
        self.add(request)
        while not self.ended(request):
            self.scheduler.step()
        return self.events(request)

    def steps(self, request, n):
        """Run until a training has made `n` more steps."""
        wanted = self.stepped(request) + n
        while self.stepped(request) < wanted:
            assert not self.ended(request), self.sent[-1]
            self.scheduler.step()

    def stepped(self, request):
        return sum(isinstance(e, Stepped) for e in self.events(request))

    def rest(self):
        """Run until there is nothing to do."""
        while not self.scheduler.idle:
            self.scheduler.step()


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.scheduler.add(StopTraining())
    desk.scheduler.add(PauseTraining(False))
    desk.rest()


@pytest.fixture
def scene(desk):
    scene = Scene(desk.share)
    desk.add(scene.add())
    return scene


@pytest.fixture
def training(desk, scene):
    """A training from a tiny model that has made two steps."""
    request = train(desk.folder, base(desk.folder))
    desk.add(scene.paint(0, 1), request)
    desk.steps(request, 2)
    return request


def test_a_preview_goes_before_the_next_step(desk, scene, training):
    request = scene.preview(uncertainty=True)
    desk.add(request)
    before = desk.stepped(training)
    while not desk.ended(request):
        desk.scheduler.step()
    assert desk.stepped(training) == before
    (previewed,) = desk.events(request)
    assert previewed.step == before
    assert previewed.region == scene.whole
    assert 0 < previewed.mean_uncertainty <= 1
    assert previewed.objects == scene.instances.open("r").max()


def test_a_preview_is_what_the_averaged_weights_say(desk, scene, training):
    desk.steps(training, 20)
    region = Region(37, 21, 130, 139)
    desk.ask(scene.preview(region))
    learner = desk.state.session.run.learner
    image = desk.state.session.image("a")
    pixels = image.intensity.apply(image.image.read(scene.whole, (0,)))
    with torch.no_grad():
        expected = learner.average(torch.from_numpy(pixels)[None])[0, :2].argmax(0)
    got = scene.semantic.open("r")
    # Beyond the border the padded net sees zeros and the preview a mirror image.
    inner = np.s_[37:130, 21:139]
    assert (got[inner] == expected.numpy()[inner]).mean() > 0.999
    assert got[:37].max() == 0
    assert got[130:].max() == 0
    assert set(np.unique(got)) == {0, 1}


def test_weights_are_prepared_once_for_each_version(desk, scene, training):
    desk.add(PauseTraining(True))
    desk.rest()
    desk.ask(scene.preview())
    _, first = desk.state._prepared["training"]
    desk.ask(scene.preview(Region(0, 0, 50, 50)))
    assert desk.state._prepared["training"][1] is first
    desk.add(PauseTraining(False))
    desk.steps(training, 1)
    desk.ask(scene.preview())
    assert desk.state._prepared["training"][1] is not first


def test_a_view_is_one_pass_and_a_larger_one_several(desk, training):
    large = Scene(desk.share, "large", side=1100)
    desk.add(large.add())
    assert len(desk.ask(large.preview(Region(13, 27, 525, 539)))) == 1
    *tiles, last = desk.ask(large.preview())
    assert all(isinstance(e, TileDone) for e in tiles)
    assert len(tiles) == 8
    assert isinstance(last, Previewed)


def test_new_strokes_are_learnt_within_two_steps(desk, scene, tmp_path):
    part = Region(0, 0, 80, 160)
    request = train(tmp_path, base(tmp_path))
    desk.add(scene.paint(0, 1, region=part), request)
    desk.steps(request, 5)
    before = desk.events(request)[-1].labelled
    rest = Region(80, 0, 160, 160)
    desk.add(scene.paint(0, 1, region=rest))
    desk.steps(request, 2)
    assert desk.events(request)[-1].labelled > before


def test_the_viewer_says_what_is_held_out(desk, scene, training):
    half = np.full(scene.truth.shape, TRAINING, np.uint8)
    half[80:] = HELD_OUT
    patch = Patch(scene.whole, (scene.truth + 1).astype(np.uint8), split=half)
    desk.add(WriteLabels(scene.key, (patch,)))
    desk.steps(training, 2)
    assert desk.events(training)[-1].labelled == (half == TRAINING).sum()


def test_a_paused_training_does_nothing_until_it_goes_on(desk, scene, training):
    desk.add(PauseTraining(True))
    desk.rest()
    before = desk.stepped(training)
    assert not desk.ended(training)
    desk.ask(scene.preview())
    desk.ask(scene.paint(0, 1))
    desk.rest()
    assert desk.stepped(training) == before
    desk.add(PauseTraining(False))
    desk.steps(training, 3)


def test_a_paused_training_can_be_stopped(desk, training):
    desk.add(PauseTraining(True))
    desk.rest()
    desk.add(StopTraining())
    desk.rest()
    assert isinstance(desk.events(training)[-1], Stopped)


def test_stopping_keeps_the_best_and_the_last(desk, training):
    desk.steps(training, 20)
    desk.ask(StopTraining())
    desk.rest()
    *_, kept, stopped = desk.events(training)
    assert isinstance(kept, Checkpointed)
    assert stopped.last == kept.name
    scores = [e.score for e in desk.events(training) if isinstance(e, Validated)]
    assert any(score is not None for score in scores)
    folder = desk.folder / "checkpoints"
    assert load_model(folder / stopped.best).spec.name == "mine"
    load_model(folder / stopped.last)
    assert not desk.state.session.training


def test_a_stop_right_after_the_start_is_not_lost(desk, scene, tmp_path):
    request = train(tmp_path, base(tmp_path))
    desk.add(scene.paint(0, 1), request, StopTraining())
    desk.rest()
    assert isinstance(desk.events(request)[-1], Stopped)


def test_a_cancelled_training_keeps_its_weights(desk, scene, training):
    desk.scheduler.cancel(training.id)
    assert desk.events(training)[-1] == Cancelled()
    assert len(list((desk.folder / "checkpoints").glob("step-*"))) == 1
    desk.ask(scene.preview())
    again = train(desk.folder, resume=True)
    desk.add(again)
    desk.steps(again, 1)
    assert desk.events(again)[0].step == 3


def test_rolling_back_goes_on_from_the_checkpoint(desk, scene, training):
    while not any(isinstance(e, Checkpointed) for e in desk.events(training)):
        desk.scheduler.step()
    kept = next(e for e in desk.events(training) if isinstance(e, Checkpointed))
    desk.ask(scene.preview(checkpoint=kept.name))
    then = scene.semantic.open("r").copy()
    desk.steps(training, 8)
    desk.add(PauseTraining(True))
    desk.rest()
    assert desk.ask(RollBack(kept.name)) == [RolledBackTo(kept.name)]
    desk.ask(scene.preview())
    np.testing.assert_array_equal(scene.semantic.open("r"), then)
    desk.add(PauseTraining(False))
    desk.steps(training, 2)


def test_rolling_back_after_the_end_is_where_resuming_begins(desk, scene, training):
    desk.steps(training, 12)
    desk.ask(StopTraining())
    desk.rest()
    stopped = desk.events(training)[-1]
    kept, rolled = desk.ask(RollBack(stopped.best))
    assert rolled == RolledBackTo(stopped.best)
    folder = desk.folder / "checkpoints"
    best, last = load_model(folder / stopped.best), load_model(folder / kept.name)
    for key, value in best.net.state_dict().items():
        assert torch.equal(value, last.net.state_dict()[key])


def test_a_checkpoint_that_is_not_there_is_told(desk, scene, training):
    for request in (RollBack("step-9"), scene.preview(checkpoint="step-9")):
        desk.ask(request)
        assert desk.failure(request).error == "TrainingError"
        assert "no longer there" in desk.failure(request).text
    desk.steps(training, 1)


def test_without_images_it_waits_and_goes_on(desk, scene, training):
    desk.add(RemoveImage("a"))
    desk.rest()
    assert not desk.ended(training)
    before = desk.stepped(training)
    warned = desk.events(training)[-1]
    assert isinstance(warned, Warned)
    assert "Training waits" in warned.text
    request = scene.preview()
    desk.ask(request)
    assert "layer was removed" in desk.failure(request).text
    desk.add(scene.add(), scene.paint(0, 1))
    desk.steps(training, 2)
    assert desk.stepped(training) == before + 2


def test_with_all_strokes_erased_it_waits(desk, scene, training):
    desk.add(scene.erase())
    desk.rest()
    assert not desk.ended(training)
    desk.add(scene.paint(1))
    desk.rest()
    assert "Only class 1" in desk.events(training)[-1].text
    desk.add(scene.paint(0, 1))
    desk.steps(training, 2)


def test_one_of_two_images_may_go(desk, scene, training):
    other = Scene(desk.share, "b", seed=3)
    desk.add(other.add(), other.paint(0, 1))
    desk.steps(training, 3)
    desk.add(RemoveImage("a"))
    desk.steps(training, 12)
    assert desk.events(training)[-1].labelled > 0


def test_one_training_at_a_time(desk, training):
    second = train(desk.folder / "second", base(desk.folder))
    desk.ask(second)
    assert "under way" in desk.failure(second).text
    desk.steps(training, 1)


def test_old_checkpoints_are_not_mixed_with_new_ones(desk, training):
    desk.ask(StopTraining())
    desk.rest()
    again = train(desk.folder)
    desk.ask(again)
    assert "Resume it" in desk.failure(again).text


def test_resuming_with_one_more_class(desk, scene, training):
    desk.steps(training, 5)
    desk.ask(StopTraining())
    desk.rest()
    more = ClassScheme.named("cell", "dirt")
    again = train(desk.folder, resume=True, classes=more)
    desk.add(again)
    desk.steps(again, 1)
    assert desk.events(again)[0].step > 7
    assert desk.state.session.run.learner.spec.classes == more


def test_a_grey_image_suits_a_model_of_three_channels(desk, scene, tmp_path):
    request = train(tmp_path, base(tmp_path), channels=3)
    desk.add(scene.paint(0, 1), request)
    desk.steps(request, 2)
    (previewed,) = desk.ask(scene.preview())
    assert isinstance(previewed, Previewed)


def test_the_most_uncertain_region_is_not_where_labels_are(desk, scene, training):
    large = Scene(desk.share, "large", side=600)
    labelled = Region(0, 0, 600, 400)
    desk.add(large.add(), large.paint(0, 1, region=labelled))
    before = desk.stepped(training)
    *tiles, found = desk.ask(MostUncertain(("a", "large")))
    assert isinstance(found, UncertainRegion)
    assert found.key == "large"
    assert found.region.x1 > 400
    assert 0 < found.uncertainty <= 1
    # Training goes on between two tiles.
    assert desk.stepped(training) - before >= len(tiles) - 1


def test_nothing_uncertain_is_left_where_all_is_labelled(desk, scene, training):
    request = MostUncertain(("a",))
    desk.ask(request)
    assert "labels everywhere" in desk.failure(request).text


def test_an_image_may_go_while_it_is_searched(desk, training):
    large = Scene(desk.share, "large", side=600)
    other = Scene(desk.share, "other", side=100)
    search = MostUncertain(("large", "other"))
    desk.add(large.add(), other.add(), search)
    while not desk.events(search):
        desk.scheduler.step()
    desk.add(RemoveImage("large"))
    desk.ask(scene_request := MostUncertain(("other",)))
    while not desk.ended(search):
        desk.scheduler.step()
    assert isinstance(desk.events(search)[-1], UncertainRegion)
    assert desk.events(scene_request)[-1].key == "other"


def test_objects_and_their_classes_are_followed(desk, scene):
    from napari_unet.engine.messages import Patch, WriteLabels

    region = Region(0, 0, 32, 32)
    objects = np.zeros((32, 32), np.uint32)
    objects[4:9, 4:9], objects[20:25, 20:25] = 1, 2
    patch = Patch(region, objects=objects, verified=np.ones((32, 32), bool))
    desk.ask(WriteLabels("a", (patch,), {2: 2}))
    labels = desk.state.session.image("a").annotation
    assert labels.classes(region)[6, 6] == 1
    assert labels.classes(region)[22, 22] == 2
    assert labels.classes(region)[15, 15] == 0
    desk.ask(WriteLabels("a", (), {}))
    assert labels.classes(region)[22, 22] == 1


def test_a_core_is_left_to_the_user_at_work(desk, scene, tmp_path, monkeypatch):
    torch.set_num_threads(2)
    request = train(tmp_path, base(tmp_path))
    desk.add(scene.paint(0, 1), request)
    desk.steps(request, 1)
    assert torch.get_num_threads() == 1
    monkeypatch.setattr("napari_unet.engine.session.BUSY", -1.0)
    desk.steps(request, 1)
    assert torch.get_num_threads() == 2
    monkeypatch.undo()
    desk.ask(scene.preview())
    assert torch.get_num_threads() == 1
    desk.ask(StopTraining())
    desk.rest()
    assert torch.get_num_threads() == 2


def test_only_another_view_counts_as_work(desk, scene, training):
    session = desk.state.session
    desk.ask(scene.preview())
    before = session._last_busy
    desk.ask(scene.preview())
    assert session._last_busy == before
    desk.ask(scene.preview(Region(0, 0, 40, 40)))
    assert session._last_busy > before
