"""Models as folders: what goes in comes out, and what is broken is said."""

import hashlib
import json
import os
import pickle
import shutil
import stat
import sys
from pathlib import Path
from threading import Timer

import pytest
import torch
import windows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from napari_unet.annotation import ClassScheme
from napari_unet.errors import ModelError
from napari_unet.models import (
    ModelSpec,
    Normalisation,
    UNetArchitecture,
    adapt,
    build,
    check_place,
    find_model,
    load_model,
    read_spec,
    save_model,
)

names = st.text(min_size=1, max_size=12).filter(lambda text: text.strip())


@pytest.fixture
def folder(model, tmp_path):
    save_model(model, tmp_path / "tiny")
    return tmp_path / "tiny"


def rewrite(folder, **changes):
    """Change single entries of a folder's model.json."""
    path = folder / "model.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def replace_weights(folder, content):
    """Exchange the weights and make the checksum fit."""
    (folder / "weights.safetensors").write_bytes(content)
    rewrite(folder, weights_sha256=hashlib.sha256(content).hexdigest())


def test_what_is_saved_is_loaded(model, folder):
    loaded = load_model(folder)
    assert loaded.spec == model.spec
    assert loaded.net.state_dict().keys() == model.net.state_dict().keys()
    for key, value in model.net.state_dict().items():
        assert torch.equal(loaded.net.state_dict()[key], value)
    assert sorted(p.name for p in folder.iterdir()) == [
        "model.json",
        "weights.safetensors",
    ]


@windows.linux
def test_a_scanner_that_looks_at_new_weights_is_waited_for(
    model, folder, tmp_path, monkeypatch
):
    windows.like_windows(monkeypatch)
    read = (folder / "weights.safetensors").open()
    Timer(0.2, read.close).start()
    save_model(build(model.spec.model_copy(update={"name": "other"})), folder)
    assert read_spec(folder).name == "other"
    assert [p.name for p in tmp_path.iterdir()] == ["tiny"]


def test_a_folder_without_access_is_tried_once(model, tmp_path, monkeypatch):
    tried = windows.deny_access(monkeypatch, tmp_path)
    with pytest.raises(ModelError, match="Access is denied"):
        check_place(tmp_path / "new")
    with pytest.raises(ModelError, match="Access is denied"):
        save_model(model, tmp_path / "new")
    assert len(tried) == 2


def test_a_drive_that_is_not_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda _: False)
    monkeypatch.setattr(Path, "mkdir", lambda path: path.stat())
    with pytest.raises(ModelError, match="could not be saved"):
        check_place(tmp_path / "new")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_others_may_read_a_model_as_they_may_what_is_new(model, tmp_path):
    before = os.umask(0o027)
    try:
        save_model(model, tmp_path / "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o750


def test_half_is_half_as_large_and_predicts_nearly_the_same(model, folder, tmp_path):
    save_model(model, tmp_path / "half", half=True)
    size = "weights.safetensors"
    assert (tmp_path / "half" / size).stat().st_size < 0.7 * (
        folder / size
    ).stat().st_size
    loaded = load_model(tmp_path / "half")
    x = torch.rand(1, 1, 16, 16)
    with torch.inference_mode():
        expected, got = model.net.eval()(x), loaded.net.eval()(x)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, expected, atol=0.02, rtol=0.02)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=names,
    classes=st.lists(names, min_size=1, max_size=4, unique_by=str.casefold).filter(
        lambda c: len({n.strip().lower() for n in c} | {"background"}) == len(c) + 1
    ),
    channels=st.integers(1, 4),
    architecture=st.builds(
        UNetArchitecture,
        depth=st.integers(1, 2),
        width=st.integers(1, 4),
        max_width=st.just(4),
        norm=st.sampled_from(["batch", "layer", "none"]),
        padding=st.sampled_from(["same", "valid"]),
        boundary=st.booleans(),
    ),
)
def test_any_description_comes_back(tmp_path, name, classes, channels, architecture):
    spec = ModelSpec(
        name=name,
        classes=ClassScheme.named(*classes),
        channels=channels,
        architecture=architecture,
    )
    save_model(build(spec), tmp_path / "any")
    assert load_model(tmp_path / "any").spec == spec


def test_saving_replaces_a_model(model, folder):
    save_model(build(model.spec, seed=4), folder)
    loaded = load_model(folder)
    key = "classify.weight"
    assert not torch.equal(loaded.net.state_dict()[key], model.net.state_dict()[key])
    assert [p.name for p in folder.parent.iterdir()] == ["tiny"]


def test_saving_keeps_what_lies_beside_a_model(model, folder):
    (folder / "notes.txt").write_text("mine")
    (folder / "old").mkdir()
    (folder / "old" / "model.json").write_text("also mine")
    other = build(model.spec, seed=4)
    save_model(other, folder)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "old" / "model.json").read_text() == "also mine"
    key = "classify.weight"
    loaded = load_model(folder).net.state_dict()
    assert torch.equal(loaded[key], other.net.state_dict()[key])


def test_saving_after_a_crash_keeps_them_too(model, folder):
    (folder / "notes.txt").write_text("mine")
    folder.rename(folder.with_name(f".{folder.name}-replaced"))
    save_model(model, folder)
    assert (folder / "notes.txt").read_text() == "mine"
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_saving_replaces_nothing_but_a_model(model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match="is not a model"):
        save_model(model, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="could not be saved"):
        save_model(model, tmp_path / "file" / "model")


def test_a_place_is_checked_before_training(model, folder, tmp_path):
    check_place(folder)
    check_place(tmp_path / "new" / "model")
    (tmp_path / "file").write_text("")
    for place, said in (
        (tmp_path, "is not a model"),
        (tmp_path / "file" / "model", "could not be saved"),
        (tmp_path / ("x" * 300), "could not be saved"),
        ("/", "is not a model"),
    ):
        with pytest.raises(ModelError, match=said):
            check_place(place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "tiny"]


def test_what_dead_processes_left_is_removed_at_the_next_save(model, folder):
    dead, alive, other = (
        folder.with_name(name)
        for name in (".tiny-abc.unfinished", ".tiny-def.unfinished", ".tiny-mine")
    )
    for left in (dead, alive, other):
        left.mkdir()
        (left / "weights.safetensors").write_bytes(b"half")
    for old in (dead, other):
        os.utime(old, (0, 0))
    save_model(model, folder)
    assert not dead.exists()
    assert alive.exists() and other.exists()


@pytest.mark.parametrize("path", ["~nobody-has-this-name/model", "x" * 300])
def test_a_folder_that_cannot_be_is_said(path):
    with pytest.raises(ModelError, match=r"no model|cannot be looked into"):
        load_model(path)


def test_damaged_weights_are_refused(folder):
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        load_model(folder)


def test_a_pickle_is_never_opened(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    replace_weights(folder, pickle.dumps(Trap()))
    with pytest.raises(ModelError, match="weights"):
        load_model(folder)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"\xff" * 64])
def test_weights_of_another_kind_are_refused(folder, content):
    replace_weights(folder, content)
    with pytest.raises(ModelError, match="weights"):
        load_model(folder)


def test_weights_of_another_net_are_refused(model, folder, tmp_path):
    wide = model.spec.model_copy(update={"architecture": UNetArchitecture(depth=2)})
    save_model(build(wide), tmp_path / "wide")
    replace_weights(folder, (tmp_path / "wide" / "weights.safetensors").read_bytes())
    with pytest.raises(ModelError, match="do not fit"):
        load_model(folder)


def test_a_model_that_is_saved_while_it_is_opened_opens(model, folder, monkeypatch):
    read = Path.read_bytes
    renamed = build(model.spec.model_copy(update={"name": "other"}), seed=9)
    waiting = [renamed]

    def read_then_save(path):
        content = read(path)
        if waiting:
            save_model(waiting.pop(), folder)
        return content

    monkeypatch.setattr(Path, "read_bytes", read_then_save)
    assert load_model(folder).spec == renamed.spec


def test_missing_weights_are_said(folder):
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no readable 'weights\.safetensors'"):
        load_model(folder)
    assert read_spec(folder).name == "tiny"


def test_format_1_still_opens(folder):
    # It had a map of distances, which nothing was made of, and no boundaries.
    weights = load((folder / "weights.safetensors").read_bytes())
    for part in ("weight", "bias"):
        weights[f"distance.{part}"] = weights.pop(f"boundary.{part}")
    replace_weights(folder, save(weights))
    content = json.loads((folder / "model.json").read_text())
    net = content["architecture"]
    net["distance"] = net.pop("boundary")
    rewrite(folder, schema_version=1, architecture=net)
    text = json.loads((folder / "model.json").read_text())
    text.pop("valley")
    (folder / "model.json").write_text(json.dumps(text))

    opened = load_model(folder)
    assert opened.spec.valley is None
    again = folder.parent / "again"
    save_model(opened, again)
    assert load_model(again).spec == opened.spec
    # It learns boundaries as soon as it is trained on.
    more = adapt(opened, classes=opened.spec.classes, channels=1, name="more")
    assert more.net.boundary is not None


def test_what_no_description_says_any_more_may_be_there(folder):
    before = read_spec(folder)
    rewrite(folder, dimensions=2)
    assert load_model(folder).spec == before


def test_percentiles_in_the_wrong_order_are_the_minimum_and_the_maximum(folder):
    # As the first versions took them, which wrote them where a recipe said so.
    rewrite(folder, normalisation={"low": 99.0, "high": 2.0})
    assert load_model(folder).spec.normalisation == Normalisation(low=0, high=100)


def test_a_newer_format_asks_for_an_update(folder):
    rewrite(folder, schema_version=99, something_new=True)
    with pytest.raises(ModelError, match="Update napari-unet-annotator"):
        load_model(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[1, 2]", "null", '"nuclei"', "\x00", "[" * 100_000]
)
def test_a_broken_description_is_said(folder, text):
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match="no description"):
        load_model(folder)


def test_a_description_that_is_no_text_is_said(folder):
    (folder / "model.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="no description"):
        read_spec(folder)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"channels": 0}, "channels"),
        ({"channels": "many"}, "channels"),
        ({"architecture": {"name": "unet", "depth": -1}}, "architecture.unet.depth"),
        ({"classes": {"classes": []}}, "classes"),
        ({"schema_version": "two"}, "schema_version"),
    ],
)
def test_a_damaged_entry_is_named(folder, changes, where):
    rewrite(folder, **changes)
    with pytest.raises(ModelError, match=f"damaged at '{where}"):
        read_spec(folder)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"surprise": 1}, "surprise"),
        ({"architecture": {"name": "gan"}}, "architecture"),
        (
            {"architecture": {"name": "unet", "norm": "group"}},
            r"architecture\.unet\.norm",
        ),
        ({"architecture": {"name": "unet", "heads": 2}}, r"architecture\.unet\.heads"),
    ],
)
def test_what_only_a_newer_version_knows_asks_for_an_update(folder, changes, where):
    rewrite(folder, **changes)
    with pytest.raises(ModelError, match=f"at '{where}'.*Update napari-unet-annotator"):
        load_model(folder)


@pytest.mark.parametrize("made", [None, "empty", "file"])
def test_what_is_no_model_is_said(tmp_path, made):
    path = tmp_path / "thing"
    if made == "empty":
        path.mkdir()
    elif made == "file":
        path.write_text("{}")
    with pytest.raises(ModelError, match="There is no model"):
        find_model(path)


def test_the_root_of_a_disk_is_no_model():
    with pytest.raises(ModelError, match="There is no model"):
        find_model(os.path.abspath(os.sep))


def test_a_copied_folder_is_the_same_model(model, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "elsewhere" / "ü name")
    assert load_model(tmp_path / "elsewhere" / "ü name").spec == model.spec


def test_a_description_that_cannot_be_read_is_no_damaged_one(folder):
    path = folder / "model.json"
    path.chmod(0)
    if os.access(path, os.R_OK):
        if not os.path.exists("/proc/self/mem"):
            pytest.skip("root may read everything")
        # Nobody can read what is before the first page.
        path.unlink()
        path.symlink_to("/proc/self/mem")
    with pytest.raises(ModelError, match=r"model\.json' cannot be read: \w+"):
        load_model(folder)
