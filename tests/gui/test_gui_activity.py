"""Work is listed in napari's activity dock, and costs nothing there."""

from napari.utils.progress import progress
from qtpy.QtGui import QMovie

from napari_unet.gui.parts.background import activity


def test_the_entry_is_there_and_no_spinner_turns(viewer, qtbot):
    item = viewer.window._qt_window.statusBar()._activity_item

    def turning():
        movie = item._inProgressIndicator.movie()
        return movie.state() == QMovie.MovieState.Running

    entry = activity("U-Net: something")
    qtbot.wait_until(lambda: not turning())
    assert entry in progress._all_instances
    # The dock, once it is opened, shows the entry.
    item._activityBtn.click()
    shown = [
        bar
        for bar in viewer.window._qt_window._activity_dialog.findChildren(object)
        if getattr(bar, "progress", None) is entry
    ]
    assert [bar.isVisible() for bar in shown] == [True]
    item._activityBtn.click()
    entry.total = 10
    entry.update(3)
    assert not turning()
    entry.close()
    assert entry not in progress._all_instances
