"""A long stroke tells the engine that the user is at work, before it ends."""

import pytest
from gui_wait import settled
from qtpy.QtCore import QEvent

from napari_unet.engine.messages import AtWork


@pytest.fixture
def asked(widget, monkeypatch):
    """What the engine is asked through the feed."""
    live, requests = widget.session.live, []
    monkeypatch.setattr(live.feed, "ask", requests.append)
    monkeypatch.setattr(live, "state", "training")
    yield requests
    live.state = "idle"


def test_it_is_told_once_a_second_while_the_button_is_down(
    viewer, painted, asked, mouse, qtbot
):
    settled(mouse._camera)
    at, further = mouse._on_canvas((20, 20)), mouse._on_canvas((22, 30))
    mouse._send(QEvent.Type.MouseButtonPress, at)
    assert [type(request) for request in asked] == [AtWork]
    mouse._send(QEvent.Type.MouseMove, further)
    assert len(asked) == 1
    qtbot.wait_until(lambda: len(asked) >= 2)
    mouse._send(QEvent.Type.MouseButtonRelease, further, pressed=False)
    asked.clear()
    # A beat that goes on would come first.
    qtbot.wait(1200)
    assert not asked


def test_nothing_is_told_without_a_training(widget, painted, asked, mouse):
    widget.session.live.state = "paused"
    mouse.draw((20, 20), (22, 30))
    assert not asked


def test_the_canvas_forgets_a_panel_that_is_closed(viewer, widget, qtbot):
    assert [f for f in viewer.mouse_drag_callbacks if f.__name__ == "_drag"]
    with qtbot.wait_signal(widget.live_panel.destroyed):
        viewer.window.remove_dock_widget(widget)
        widget.deleteLater()
    assert not [f for f in viewer.mouse_drag_callbacks if f.__name__ == "_drag"]
