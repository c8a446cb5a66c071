"""While the user is at work a core is left to the viewer."""

import math

import torch

from napari_unet.engine.messages import AtWork


def test_a_stroke_under_way_counts_as_work(desk, training, monkeypatch):
    before = torch.get_num_threads()
    desk.state.session.training.threads = 2
    monkeypatch.setattr("napari_unet.engine.session.BUSY", math.inf)
    monkeypatch.setattr(desk.state.session, "_last_busy", -math.inf)
    desk.steps(training, 1)
    assert torch.get_num_threads() == 2
    desk.ask(AtWork())
    desk.steps(training, 1)
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)
