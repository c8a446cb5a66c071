import pytest
import torch

from napari_unet.training.augment import Crops, augment


def crops(side=96, n=6):
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    disk = ((y - side / 2) ** 2 + (x - side / 2) ** 2 < (side / 5) ** 2).float()
    classes = torch.where(disk > 0, 1, 0).long()
    classes[:, : side // 3] = -1
    return Crops(
        disk.expand(n, 1, side, side).clone(),
        classes.expand(n, side, side).clone(),
        torch.ones(n, side, side),
        disk.expand(n, side, side).clone(),
        (classes >= 0).expand(n, side, side).clone(),
    )


def test_image_and_labels_move_together():
    changed = augment(crops(), 64, torch.Generator().manual_seed(0))
    assert changed.image.shape == (6, 1, 64, 64)
    assert changed.classes.shape == (6, 64, 64)
    for i in range(6):
        inside = changed.image[i, 0][changed.classes[i] == 1].mean()
        outside = changed.image[i, 0][changed.classes[i] == 0].mean()
        assert inside > outside + 0.3
        object_pixels = changed.classes[i] == 1
        assert torch.equal(
            changed.distance[i][object_pixels] > 0.5,
            torch.ones(int(object_pixels.sum()), dtype=torch.bool),
        )


def test_what_was_not_labelled_stays_so_and_nothing_is_invented():
    changed = augment(crops(), 64, torch.Generator().manual_seed(1))
    assert set(changed.classes.unique().tolist()) <= {-1, 0, 1}
    assert not changed.known[changed.classes == -1].any()


def test_an_unlabelled_crop_stays_unlabelled():
    empty = crops()
    empty.classes.fill_(-1)
    changed = augment(empty, 64, torch.Generator().manual_seed(2))
    assert (changed.classes == -1).all()


def test_the_same_seed_gives_the_same_crops():
    a = augment(crops(), 64, torch.Generator().manual_seed(3))
    b = augment(crops(), 64, torch.Generator().manual_seed(3))
    c = augment(crops(), 64, torch.Generator().manual_seed(4))
    assert torch.equal(a.image, b.image)
    assert not torch.equal(a.image, c.image)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_any_number_of_channels(channels):
    base = crops()
    many = Crops(
        base.image.repeat(1, channels, 1, 1),
        base.classes,
        base.weight,
        base.distance,
        base.known,
    )
    changed = augment(many, 32, torch.Generator().manual_seed(0))
    assert changed.image.shape == (6, channels, 32, 32)
    assert torch.isfinite(changed.image).all()
