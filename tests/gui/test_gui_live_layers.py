"""The layers of the first preview are made while the engine is at it."""

import numpy as np
from qtpy.QtCore import QTimer

from napari_unet.images import Region


def test_they_are_made_one_at_a_time(viewer, widget, painted, qtbot):
    turns, made = [], []
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: turns.append(0))
    timer.start()
    viewer.layers.events.inserted.connect(
        lambda event: made.append((event.value.name, len(turns)))
    )
    widget.live_panel.view._look()
    assert not made
    qtbot.wait_until(lambda: len(made) == 2)
    timer.stop()
    (first, then), (second, later) = made
    assert [first, second] == ["field semantic", "field instances"]
    assert then < later
    # What is painted stays on top, and what the user works on stays chosen.
    image, scribbles = painted
    assert viewer.layers[-1] is scribbles
    assert viewer.layers.selection.active is scribbles

    semantic, instances = viewer.layers[first], viewer.layers[second]
    region, ones = Region(0, 0, 60, 80), np.ones((60, 80), np.uint8)
    widget.session.results_of(image.target.layer).show_region(
        viewer,
        image.target,
        region,
        ones,
        ones.astype(np.uint32),
        widget.session.annotations.scheme,
    )
    assert len(viewer.layers) == 4
    assert semantic.data.all()
    assert instances.data.all()
