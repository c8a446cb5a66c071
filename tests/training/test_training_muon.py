"""Steps that go equally far in every direction."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_unet.training.muon import Muon, orthogonal

quick = settings(deadline=None, max_examples=40)
sides = st.integers(1, 40)


@quick
@given(rows=sides, columns=sides, scale=st.sampled_from([1e-8, 1.0, 1e8]))
def test_keeps_directions_and_makes_them_equally_strong(rows, columns, scale):
    matrix = scale * torch.randn(rows, columns, generator=_chance(rows, columns))
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    # How strong each of the matrix's own directions is in what comes out.
    strong = (u.T @ orthogonal(matrix) @ v.T).diagonal()
    clear = s > 0.01 * s.norm()
    assert (strong[clear] > 0.6).all()
    assert (strong < 1.25).all()


@pytest.mark.parametrize("shape", [(3, 7), (7, 3)])
def test_no_direction_stays_none(shape):
    assert torch.equal(orthogonal(torch.zeros(shape)), torch.zeros(shape))


@quick
@given(rows=sides, columns=sides)
def test_tall_is_as_wide(rows, columns):
    matrix = torch.randn(rows, columns, generator=_chance(rows, columns))
    tall, wide = orthogonal(matrix.T), orthogonal(matrix)
    # What is lost in rounding of a weak direction grows with it.
    torch.testing.assert_close(tall.T, wide, atol=0.02, rtol=0)


def test_step_is_as_long_as_one_of_adamw():
    conv = _gradients(torch.nn.Conv2d(16, 32, 3))
    before = conv.weight.detach().clone()
    muon = Muon(conv.parameters(), 1e-3)
    muon.step()
    step = (conv.weight.detach() - before).square().mean().sqrt()
    assert step == pytest.approx(2e-4, rel=0.2)


def test_other_weights_follow_adamw():
    ours, theirs = (torch.nn.Conv2d(4, 4, 1) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    kernel = torch.nn.Conv2d(1, 1, 3)
    muon = Muon([*ours.parameters(), *kernel.parameters()], 0.5)
    for group in muon.param_groups:
        group["lr"] = 1e-2
    for net in (ours, theirs, kernel):
        _gradients(net)
    muon.step()
    torch.optim.AdamW(theirs.parameters(), 1e-2).step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def _gradients(net: torch.nn.Module) -> torch.nn.Module:
    for weights in net.parameters():
        chance = _chance(*weights.shape)
        weights.grad = 1e-5 * torch.randn(weights.shape, generator=chance)
    return net


def _chance(*numbers: int) -> torch.Generator:
    return torch.Generator().manual_seed(hash(numbers) % 2**32)
