"""What is held out for validation is decided beside the window, and kept."""

import threading

import numpy as np
import pytest
from gui_annotate import BACKGROUND, FIRST, same

from napari_unet.annotation import hold_out
from napari_unet.engine import Engine
from napari_unet.errors import EngineError
from napari_unet.gui.train import feed


class NoEngine(Engine):
    """One that is not needed here."""

    def start(self):
        raise EngineError("There is none.")


@pytest.fixture
def engine():
    return NoEngine()


def test_strokes_that_are_painted_while_it_is_decided_stay(
    widget, painted, store, qtbot, monkeypatch
):
    image, layer = painted
    deciding, go_on = threading.Event(), threading.Event()
    threads = set()

    def decide(labels):
        threads.add(threading.current_thread())
        deciding.set()
        assert go_on.wait(120)
        hold_out(labels)

    monkeypatch.setattr(feed, "hold_out", decide)
    known = widget.session.live.send(image.target)
    qtbot.wait_until(deciding.is_set)
    layer.paint((40, 40), BACKGROUND)
    layer.paint((50, 70), FIRST)
    layer.paint((10, 15), 0)
    layer.paint((10, 18), FIRST)
    qtbot.wait_until(lambda: same(image, layer))
    assert not image.annotation.split.keys()

    go_on.set()
    qtbot.wait_until(known.done)
    qtbot.wait_until(lambda: bool(image.annotation.split.keys()))
    assert threading.main_thread() not in threads
    assert same(image, layer)
    assert not image.annotation.split.dense()[40, 40]

    known = widget.session.live.send(image.target)
    qtbot.wait_until(known.done)
    labelled = layer.data > 0

    def all_decided(annotation):
        return np.array_equal(annotation.split.dense() > 0, labelled)

    qtbot.wait_until(lambda: all_decided(image.annotation))
    assert same(image, layer)
    qtbot.wait_until(store.path(image.key).exists)
    qtbot.wait_until(lambda: all_decided(store.load(image.key)[0]))
