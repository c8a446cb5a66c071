import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_unet.training.loss import (
    IGNORE,
    balance,
    boundary_loss,
    dice_loss,
    flooded,
    segmentation_loss,
)


def some_batch(seed, share=0.3, n_classes=3, side=11):
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, n_classes, side, side, generator=g, requires_grad=True)
    classes = torch.randint(n_classes, (2, side, side), generator=g)
    classes[torch.rand(classes.shape, generator=g) > share] = IGNORE
    weight = 1 + 5 * torch.rand(classes.shape, generator=g)
    return logits, classes, weight


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_gradient_at_unlabelled_pixels_is_exactly_zero(seed, share):
    logits, classes, weight = some_batch(seed, share)
    segmentation_loss(logits, classes, weight, torch.ones(3)).backward()
    unlabelled = (classes == IGNORE)[:, None].expand_as(logits)
    assert torch.equal(logits.grad[unlabelled], torch.zeros(int(unlabelled.sum())))
    if (classes != IGNORE).any():
        assert logits.grad.abs().sum() > 0


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 20))
def test_adding_unlabelled_area_changes_nothing(seed, more):
    logits, classes, weight = some_batch(seed)
    loss = segmentation_loss(logits, classes, weight, torch.ones(3))
    wider = torch.nn.functional.pad(logits, (0, more), value=3.0)
    known = torch.nn.functional.pad(classes, (0, more), value=IGNORE)
    heavy = torch.nn.functional.pad(weight, (0, more), value=9.0)
    assert segmentation_loss(wider, known, heavy, torch.ones(3)).item() == (
        pytest.approx(loss.item(), abs=1e-6)
    )


def test_nothing_labelled_gives_zero_loss_and_gradient():
    logits, classes, weight = some_batch(0)
    classes = torch.full_like(classes, IGNORE)
    loss = segmentation_loss(logits, classes, weight, torch.ones(3))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.abs().max() == 0


@given(st.floats(0, 5), st.integers(2, 9), st.integers(0, 10**6))
def test_a_loss_is_brought_down_to_the_level_of_few_labels_and_up_to_it(
    value, n_classes, labelled
):
    level = float(flooded(torch.zeros(()), n_classes, labelled)) / 2
    loss = torch.tensor(value, requires_grad=True)
    brought = flooded(loss, n_classes, labelled)
    brought.backward()
    assert brought.item() >= level * (1 - 1e-6)
    if value > level * (1 + 1e-6):
        assert brought.item() == pytest.approx(value, rel=1e-6)
        assert loss.grad == 1
    elif value < level * (1 - 1e-6):
        assert loss.grad == -1


def test_the_level_is_half_of_what_a_net_has_that_knows_nothing():
    _, classes, weight = some_batch(0, share=1)
    alike = torch.zeros(2, 3, *classes.shape[1:])
    loss = segmentation_loss(alike, classes, weight, torch.ones(3))
    at_level = flooded(loss / 2, 3, labelled=0)
    assert at_level.item() == pytest.approx(loss.item() / 2, rel=0.01)


def test_the_level_falls_with_what_is_labelled():
    right = [flooded(torch.zeros(()), 2, n).item() for n in (0, 10**3, 10**5, 10**8)]
    assert right == sorted(right, reverse=True)
    assert right[0] > 1
    assert right[-1] < 1e-3


def test_the_right_answer_costs_nothing():
    _, classes, weight = some_batch(1)
    right = torch.nn.functional.one_hot(classes.clamp(min=0), 3).movedim(-1, 1) * 50.0
    assert segmentation_loss(right, classes, weight, torch.ones(3)).item() < 1e-4


def test_a_net_that_is_sure_that_a_class_is_not_there_goes_on_learning():
    z = torch.tensor([[0.0, 0.0, -200.0]]).repeat(4, 1).requires_grad_()
    loss = dice_loss(z, torch.tensor([0, 1, 0, 1]))
    loss.backward()
    # Half of each pixel is right: 2 * 1 / (4 * 0.25 + 2) of both classes.
    assert loss.item() == pytest.approx(1 - 2 / 3)
    assert torch.isfinite(z.grad).all()
    assert z.grad[:, :2].abs().min() > 0


def test_a_rare_class_weighs_more_for_each_pixel_and_less_in_all():
    counts = torch.tensor([10_000, 100, 0])
    weight = balance(counts)
    assert weight[1] > weight[0]
    assert weight[1] * counts[1] < weight[0] * counts[0]
    assert weight[counts > 0].mean() == pytest.approx(1)


def test_the_boundary_counts_only_where_it_is_known():
    logits = torch.zeros(1, 4, 4, requires_grad=True)
    known = torch.zeros(1, 4, 4, dtype=torch.bool)
    known[0, 0, :2] = True
    none = torch.zeros(1, 4, 4, dtype=torch.bool)
    loss = boundary_loss(logits, none, known, torch.ones(1, 4, 4))
    loss.backward()
    assert loss.item() == pytest.approx(0.6931, abs=1e-4)
    assert torch.equal(logits.grad != 0, known)


def test_no_known_boundary_gives_zero_loss_and_gradient():
    logits = torch.randn(1, 4, 4, requires_grad=True)
    nothing = torch.zeros(1, 4, 4, dtype=torch.bool)
    loss = boundary_loss(logits, nothing, nothing, torch.ones(1, 4, 4))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.abs().max() == 0


def test_classes_weigh_the_same_where_everything_is_labelled():
    torch.manual_seed(0)
    logits = torch.randn(1, 2, 8, 8)
    classes = torch.randint(2, (1, 8, 8))
    ones, rare = torch.ones(2), torch.tensor([0.2, 1.8])
    weight = torch.ones(1, 8, 8)
    whole = torch.ones(1, 8, 8, dtype=torch.bool)
    plain = segmentation_loss(logits, classes, weight, ones)
    assert segmentation_loss(logits, classes, weight, rare) != plain
    assert segmentation_loss(logits, classes, weight, rare, whole) == plain
    half = whole.clone()
    half[:, :4] = False
    mixed = segmentation_loss(logits, classes, weight, rare, half)
    assert mixed != plain
