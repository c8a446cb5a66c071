"""Images and labels that change between two steps of a training."""

import numpy as np
from engine_training_scene import CLASSES, SPEC, Scene, base, train

from napari_unet.annotation import ClassScheme
from napari_unet.annotation.annotation import HELD_OUT, TRAINING
from napari_unet.engine.messages import (
    Patch,
    Previewed,
    RemoveImage,
    StopTraining,
    WriteLabels,
)
from napari_unet.images import Region
from napari_unet.models import build, save_model
from napari_unet.training import Checkpoints, Warned


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


def test_what_one_image_has_held_out_stays_so_while_others_come(desk, scene, tmp_path):
    """One that holds out all that it has of a class is not asked to release it."""
    other = Scene(desk.share, "b", seed=3)
    split = np.where(scene.truth, HELD_OUT, TRAINING).astype(np.uint8)
    patch = Patch(scene.whole, (scene.truth + 1).astype(np.uint8), split=split)
    desk.ask(WriteLabels(scene.key, (patch,)))
    desk.ask(other.add())
    desk.ask(other.paint(0, 1))
    request = train(tmp_path)
    desk.add(request)
    desk.steps(request, 2)
    labels = desk.state.session.image(scene.key).annotation
    np.testing.assert_array_equal(labels.split.dense(), split)


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
    assert "Only 'cell'" in desk.events(training)[-1].text
    desk.add(scene.paint(0, 1))
    desk.steps(training, 2)


def test_one_of_two_images_may_go(desk, scene, training):
    other = Scene(desk.share, "b", seed=3)
    desk.add(other.add(), other.paint(0, 1))
    desk.steps(training, 3)
    desk.add(RemoveImage("a"))
    desk.steps(training, 12)
    assert desk.events(training)[-1].labelled > 0


def test_resuming_with_one_more_class(desk, scene, training):
    desk.steps(training, 5)
    desk.ask(StopTraining(training.id))
    desk.rest()
    run = desk.state.session.run
    run.checkpoints.keep(run.learner.model(), run.learner.steps, 1.0)
    more = ClassScheme.named("cell", "dirt")
    again = train(desk.folder, resume=True, classes=more)
    desk.add(again)
    desk.steps(again, 1)
    assert desk.events(again)[0].step > 7
    run = desk.state.session.run
    assert run.learner.spec.classes == more
    assert run.checkpoints.best is None, "a model of other classes"


def test_another_class_leaves_what_a_training_began_with_as_it_was(
    desk, scene, tmp_path
):
    cells = SPEC.model_copy(update={"name": "cells", "classes": CLASSES})
    save_model(build(cells, seed=1), tmp_path / "base")
    first = train(tmp_path, str(tmp_path / "base"))
    desk.add(scene.paint(0, 1), first)
    desk.steps(first, 1)
    for classes in (("cell", "dirt"), ("cell", "dirt", "dust"), ("dirt", "dust")):
        desk.ask(StopTraining(desk.state.session.run.id))
        desk.rest()
        again = train(tmp_path, resume=True, classes=ClassScheme.named(*classes))
        desk.add(again)
        desk.steps(again, 1)
        spec = desk.state.session.run.learner.spec
        assert spec.description == "Fine-tuned from 'cells'."
        assert spec.provenance["base"] == "cells"
        known = [spec.classes.names[i] for i in spec.base_classes]
        assert known == ["background", *({"cell"} & {*classes})]


def test_a_class_with_another_name_is_the_same_one(desk, scene, training):
    desk.steps(training, 60)
    desk.ask(StopTraining(training.id))
    desk.rest()
    before = desk.state.session.run.learner.average.classify.weight.clone()
    renamed = ClassScheme.named("neuron")
    again = train(desk.folder, resume=True, classes=renamed)
    desk.add(again)
    desk.steps(again, 1)
    learner = desk.state.session.run.learner
    assert learner.spec.classes == renamed
    assert (learner.average.classify.weight - before).abs().max() < 0.005


def test_a_grey_image_suits_a_model_of_three_channels(desk, scene, tmp_path):
    request = train(tmp_path, base(tmp_path), channels=3)
    desk.add(scene.paint(0, 1), request)
    desk.steps(request, 2)
    (previewed,) = desk.ask(scene.preview())
    assert isinstance(previewed, Previewed)


def test_objects_and_their_classes_are_followed(desk, scene):
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


def test_a_refused_training_leaves_the_scores_as_they_are(desk, scene, training):
    desk.steps(training, 5)
    desk.ask(StopTraining(training.id))
    desk.rest()
    run = desk.state.session.run
    run.checkpoints.keep(run.learner.model(), run.learner.steps, 1.0)
    best = Checkpoints(desk.folder / "checkpoints").best
    desk.add(RemoveImage("a"))
    refused = train(desk.folder, resume=True, classes=ClassScheme.named("cell", "dirt"))
    desk.ask(refused)
    assert desk.failure(refused)
    assert best and Checkpoints(desk.folder / "checkpoints").best == best
