"""The list of checkpoints."""

from datetime import datetime

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_unet.gui.parts.column import Column
from napari_unet.gui.train.checkpoint_panel import CheckpointPanel
from napari_unet.training import Checkpointed


def test_what_a_click_on_a_checkpoint_shows_is_scrolled_to(qtbot):
    panel = CheckpointPanel()
    column = Column(panel)
    qtbot.addWidget(column)
    column.resize(300, 150)
    with qtbot.wait_exposed(column):
        column.show()
    panel.add(Checkpointed(20, "step-20", 0.9, best=True, saved=0.0))
    assert panel.back.visibleRegion().isEmpty()
    first = panel.list.visualItemRect(panel.list.item(0)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=first)
    panel.say_where()
    assert not panel.back.visibleRegion().isEmpty()
    assert panel.where.visibleRegion().boundingRect() == panel.where.rect()


def test_a_checkpoint_is_chosen_with_the_keyboard(qtbot):
    panel = CheckpointPanel()
    qtbot.addWidget(panel)
    for step in (10, 20, 30):
        panel.add(Checkpointed(step, f"step-{step}", None, False, 0.0))
    chosen, back = [], []
    panel.chosen.connect(chosen.append)
    panel.rolled_back.connect(back.append)
    newest = panel.list.visualItemRect(panel.list.item(0)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=newest)
    panel.say_where()
    QTest.keyClick(panel.list, Qt.Key.Key_Down)
    # What is seen on the canvas is still the newest.
    assert chosen == ["step-30"]
    assert not panel.back.isEnabled()
    assert "shows it" not in panel.where.text()
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert chosen == ["step-30", "step-20"]
    panel.back.click()
    assert back == ["step-20"]
    panel.show_all([])
    assert not panel.back.isEnabled()


def test_a_checkpoint_says_when_it_was_kept(qtbot):
    panel = CheckpointPanel()
    qtbot.addWidget(panel)
    saved = datetime(2020, 2, 1, 13, 14, 15)
    panel.show_all([Checkpointed(20, "step-20", 0.9, True, saved.timestamp())])
    assert "13:14:15" in panel.list.item(0).text()
