"""The layers of the first preview are made while the engine is at it."""

import numpy as np
from gui_live import paint_both
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel

from napari_unet.images import Region


def test_the_legend_names_the_classes_of_a_preview(widget, user, scribbles):
    paint_both(scribbles)
    user.start("The chosen model")
    user.more_previews(1)
    legend = widget.prediction_panel.legend
    assert "cell" in [label.text() for label in legend.findChildren(QLabel)]


def test_they_are_made_one_at_a_time(viewer, widget, painted, qtbot, monkeypatch):
    view = widget.live_panel.view
    # On a busy machine a preview may come before there are layers for it.
    monkeypatch.setattr(view._previews, "show", lambda view: None)
    happened = []
    turn = QTimer(singleShot=True, interval=0)
    turn.timeout.connect(lambda: happened.append("the window's turn"))

    def note(event):
        happened.append(event.value.name)
        turn.start()

    viewer.layers.events.inserted.connect(note)
    view._look()
    assert not happened
    qtbot.wait_until(lambda: len(happened) == 4)
    first, second = "field semantic", "field instances"
    assert happened == [first, "the window's turn", second, "the window's turn"]
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
