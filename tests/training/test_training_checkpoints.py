import json
import shutil

import torch

from napari_unet.annotation import ClassScheme
from napari_unet.models import ModelSpec, UNetArchitecture, build
from napari_unet.training.checkpoints import Checkpoints

SPEC = ModelSpec(
    name="tiny",
    classes=ClassScheme.named("cell"),
    architecture=UNetArchitecture(depth=1, width=2, max_width=4),
)


def test_the_best_and_the_last_survive_thinning(tmp_path):
    kept = Checkpoints(tmp_path, most=4)
    for step in range(30):
        kept.keep(build(SPEC, seed=step), step, 0.9 if step == 7 else 0.5)
    names = [c.name for c in kept]
    assert len(names) == 4
    assert kept.best == "step-000007"
    assert kept.best in names
    assert kept.last == names[-1] == "step-000029"
    assert {p.name for p in tmp_path.iterdir() if p.is_dir()} == set(names)


def test_a_checkpoint_opens_as_it_was_kept(tmp_path):
    kept = Checkpoints(tmp_path)
    model = build(SPEC, seed=5)
    event = kept.keep(model, 10, 0.4)
    assert event.best
    again = Checkpoints(tmp_path)
    assert again.last == event.name
    state = again.load(event.name).net.state_dict()
    for key, value in model.net.state_dict().items():
        assert torch.equal(value, state[key])


def test_unscored_checkpoints_are_never_the_best(tmp_path):
    kept = Checkpoints(tmp_path)
    kept.keep(build(SPEC), 1, None)
    assert kept.best is None
    assert kept.is_best(0.0)
    kept.keep(build(SPEC), 2, 0.3)
    assert not kept.is_best(None)
    assert not kept.is_best(0.3)
    assert kept.is_best(0.31)


def test_what_is_forgotten_is_never_the_best(tmp_path):
    kept = Checkpoints(tmp_path)
    for step, score in enumerate((0.5, 0.9, 0.7), start=1):
        kept.keep(build(SPEC), step, score)
    kept.forget_scores(after="step-000001")
    assert kept.best == Checkpoints(tmp_path).best == "step-000001"
    assert kept.is_best(0.6)
    kept.forget_scores()
    assert kept.best is Checkpoints(tmp_path).best is None
    assert len(kept) == 3


def test_two_checkpoints_at_one_step_do_not_share_a_folder(tmp_path):
    kept = Checkpoints(tmp_path)
    assert kept.keep(build(SPEC), 5, 0.1).name != kept.keep(build(SPEC), 5, None).name


def test_a_missing_folder_is_no_obstacle(tmp_path):
    kept = Checkpoints(tmp_path)
    kept.keep(build(SPEC), 1, 0.5)
    kept.keep(build(SPEC), 2, 0.6)
    shutil.rmtree(tmp_path / "step-000002")
    assert [c.step for c in Checkpoints(tmp_path)] == [1]


def test_without_its_list_what_was_kept_is_found(tmp_path):
    kept = Checkpoints(tmp_path)
    for step in (900, 1_000_000, 20):
        kept.keep(build(SPEC), step, 0.5)
    (tmp_path / "step-notes").mkdir()
    (tmp_path / "checkpoints.json").write_text("{")
    again = Checkpoints(tmp_path)
    assert [c.step for c in again] == [20, 900, 1_000_000]
    again.keep(build(SPEC), 1_000_000, 0.6)
    assert [c.score for c in Checkpoints(tmp_path)] == [None, None, None, 0.6]


def test_scores_of_a_newer_version_still_count(tmp_path):
    kept = Checkpoints(tmp_path)
    for step, score in ((1, 0.9), (2, 0.2)):
        kept.keep(build(SPEC), step, score)
    rows = json.loads((tmp_path / "checkpoints.json").read_text())
    (tmp_path / "checkpoints.json").write_text(
        json.dumps([{**row, "loss": 0.1} for row in rows])
    )
    again = Checkpoints(tmp_path)
    assert list(again) == list(kept)
    assert again.best == "step-000001"
