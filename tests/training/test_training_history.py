import time

import pytest

from napari_unet.training.history import History, verdict


def test_steps_within_a_tick_of_the_clock_of_windows_have_a_rate(monkeypatch):
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() // 100 * 100)
    history = History()
    assert all(history.stepped(0.5) > 0 for _ in range(3))


@pytest.mark.parametrize(
    ("scores", "losses", "expected"),
    [
        ([0.2, 0.3], [2, 1], "starting"),
        ([0.1 * i for i in range(9)], [9 - i for i in range(9)], "improving"),
        ([0.8] * 9, [1.0] * 9, "flat"),
        ([0.5, 0.9, 0.8, 0.75, 0.7, 0.7, 0.7], [7, 6, 5, 4, 3, 2, 1], "overfitting"),
        # The loss of few labels stays where it is.
        ([0.9] * 5 + [0.7] * 5, [0.5, 0.51] * 5, "overfitting"),
        ([0.9] * 5 + [0.7] * 5, [0.51, 0.5] * 5, "overfitting"),
        ([0.5, 0.9, 0.8, 0.75, 0.7, 0.7, 0.7], [1, 2, 3, 4, 5, 6, 7], "flat"),
        ([0.8, 0.805, 0.8, 0.803, 0.8, 0.802, 0.8], [3, 3, 2, 2, 2, 2, 1], "flat"),
    ],
)
def test_says_how_it_goes(scores, losses, expected):
    assert verdict(scores, losses) == expected
