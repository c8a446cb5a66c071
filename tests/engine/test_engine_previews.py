"""What is looked at while it trains: previews and the most uncertain region."""

import math

import numpy as np
import torch
from engine_training_scene import Scene, base, train

from napari_unet.engine.messages import (
    MostUncertain,
    PauseTraining,
    Previewed,
    RemoveImage,
    StopTraining,
    UncertainRegion,
)
from napari_unet.images import Region
from napari_unet.inference import TileDone


def test_a_preview_goes_before_the_next_step(desk, scene, training):
    request = scene.preview()
    desk.add(request)
    before = desk.stepped(training)
    while not desk.ended(request):
        desk.scheduler.step()
    assert desk.stepped(training) == before
    (previewed,) = desk.events(request)
    assert previewed.step == before
    assert previewed.region == scene.whole
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
    desk.add(PauseTraining(training.id, True))
    desk.rest()
    desk.ask(scene.preview())
    _, first = desk.state._prepared["training"]
    desk.ask(scene.preview(Region(0, 0, 50, 50)))
    assert desk.state._prepared["training"][1] is first
    desk.add(PauseTraining(training.id, False))
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


def test_the_most_uncertain_region_is_not_where_labels_are(desk, scene, training):
    large = Scene(desk.share, "large", side=600)
    labelled = Region(0, 0, 600, 400)
    desk.add(large.add(), large.paint(0, 1, region=labelled))
    before = desk.stepped(training)
    *tiles, found = desk.ask(
        MostUncertain(
            (
                ("a", {}),
                ("large", {}),
            )
        )
    )
    assert isinstance(found, UncertainRegion)
    assert found.key == "large"
    assert found.region.x1 > 400
    assert 0 < found.uncertainty <= 1
    # Training waits meanwhile: whoever asks has nothing to do until there is a place.
    assert len(tiles) > 5
    assert desk.stepped(training) - before <= 1


def test_a_place_that_was_shown_is_named_again_where_there_is_no_other(desk, training):
    large = Scene(desk.share, "large", side=500)
    desk.add(large.add())
    shown = []
    for _ in range(5):
        request = MostUncertain((("large", {}),), shown=tuple(shown))
        found = desk.ask(request)[-1]
        shown.append((found.key, found.region))
    *first, again = shown
    assert all(first.count(place) == 1 for place in first)
    assert again in first


def test_nothing_uncertain_is_left_where_all_is_labelled(desk, scene, training):
    request = MostUncertain((("a", {}),))
    desk.ask(request)
    assert "labels everywhere" in desk.failure(request).text


def test_an_image_may_go_while_it_is_searched(desk, training):
    large = Scene(desk.share, "large", side=600)
    other = Scene(desk.share, "other", side=100)
    search = MostUncertain(
        (
            ("large", {}),
            ("other", {}),
        )
    )
    desk.add(large.add(), other.add(), search)
    while not desk.events(search):
        desk.scheduler.step()
    desk.add(RemoveImage("large"))
    desk.ask(scene_request := MostUncertain((("other", {}),)))
    while not desk.ended(search):
        desk.scheduler.step()
    assert isinstance(desk.events(search)[-1], UncertainRegion)
    assert desk.events(scene_request)[-1].key == "other"


def test_a_core_is_left_to_the_user_at_work(desk, scene, tmp_path, monkeypatch):
    busy = "napari_unet.engine.session.BUSY"
    monkeypatch.setattr(busy, math.inf)
    torch.set_num_threads(2)
    request = train(tmp_path, base(tmp_path))
    desk.add(scene.paint(0, 1), request)
    desk.steps(request, 1)
    assert torch.get_num_threads() == 1
    monkeypatch.setattr(busy, -1.0)
    desk.steps(request, 1)
    assert torch.get_num_threads() == 2
    monkeypatch.setattr(busy, math.inf)
    desk.ask(scene.preview())
    assert torch.get_num_threads() == 1
    desk.ask(StopTraining(request.id))
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
