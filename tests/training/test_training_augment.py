import pytest
import torch

from napari_unet.training.augment import cut_mix, recolour, warp


def picture(side=96, n=6):
    """Return disks, and maps: the disk's number and where it is labelled."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    disk = ((y - side / 2) ** 2 + (x - side / 2) ** 2 < (side / 5) ** 2).float()
    labelled = torch.ones_like(disk)
    labelled[: side // 3] = 0
    maps = torch.stack([disk * 70_000, labelled])
    return disk.expand(n, 1, side, side).clone(), maps.expand(n, 2, side, side).clone()


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def test_image_and_labels_move_together():
    image, labels = warp(*picture(), 64, chance())
    assert image.shape == (6, 1, 64, 64)
    assert labels.shape == (6, 2, 64, 64)
    for i in range(6):
        inside = labels[i, 0] > 0
        assert image[i, 0][inside].mean() > image[i, 0][~inside].mean() + 0.5


def test_labels_stay_whole_numbers_and_none_is_invented():
    _, labels = warp(*picture(), 64, chance(1))
    assert set(labels[:, 0].unique().tolist()) == {0, 70_000}
    assert set(labels[:, 1].unique().tolist()) == {0, 1}


def test_the_same_seed_gives_the_same_crops():
    a, b, c = (
        recolour(warp(*picture(), 64, g)[0], torch.ones(6), g)
        for g in (chance(3), chance(3), chance(4))
    )
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_any_number_of_channels(channels):
    image = picture()[0].repeat(1, channels, 1, 1)
    changed = recolour(image, torch.ones(len(image)), chance())
    assert changed.shape == image.shape
    assert torch.isfinite(changed).all()


def test_the_stronger_the_more_a_crop_is_changed():
    image = picture(n=40)[0]
    strength = torch.tensor([0.2, 1.0]).repeat_interleave(20)
    change = (recolour(image, strength, chance()) - image).abs().mean((1, 2, 3))
    assert change[20:].mean() > 1.5 * change[:20].mean()


def test_any_stain_turns_about_a_quarter_of_the_crops_dark_on_light():
    image = torch.zeros(64, 1, 32, 32)
    image[:, :, 12:20, 12:20] = 1
    seen = recolour(image, torch.ones(64), chance(), any_stain=True)
    darker = (seen[..., 14:18, 14:18].mean((1, 2, 3)) < seen.mean((1, 2, 3))).sum()
    assert 6 <= darker <= 26
    same = recolour(image, torch.ones(len(image)), chance())
    assert (same[..., 14:18, 14:18].mean((1, 2, 3)) > same.mean((1, 2, 3))).all()


def test_mixed_crops_are_of_two_crops_each_labels_with_their_pixels():
    own = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 1, 32, 32)
    image, labels = cut_mix(
        own, own.expand(8, 3, 32, 32) + 10, own[:, 0, 0, 0] < 6, chance()
    )
    assert torch.equal(labels, image.expand(8, 3, 32, 32) + 10)
    for i in range(6):
        found = set(image[i].unique().tolist())
        assert i in found and len(found) == 2 and max(found) < 6
        assert image[i, 0, 16, 16] == i
    assert torch.equal(image[6:], own[6:])


@pytest.mark.parametrize("mixed", [[False, False], [True, False]])
def test_a_crop_that_has_none_to_be_mixed_with_stays_as_it_is(mixed):
    image = torch.rand(2, 1, 32, 32)
    same, labels = cut_mix(image, image, torch.tensor(mixed), chance())
    assert torch.equal(same, image) and torch.equal(labels, image)
