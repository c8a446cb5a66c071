"""Measure the figures of docs/fully-convolutional.md that no command prints."""

from time import perf_counter

import torch
from torch import nn

from napari_unet.nets import PatchClassifier, count_parameters, fully_convolutional


def vgg16() -> nn.Sequential:
    """Return the VGG-16 of Simonyan and Zisserman (2015), with random weights."""
    layers: list[nn.Module] = []
    channels = 3
    for maps, convolutions in (64, 2), (128, 2), (256, 3), (512, 3), (512, 3):
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, maps, 3, padding=1), nn.ReLU()]
            channels = maps
        layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU()]
    return nn.Sequential(
        *layers, nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)
    )


def convert() -> None:
    """Print what VGG-16 holds and gives, before and after it is converted."""
    vgg = vgg16()
    net = fully_convolutional(vgg, (3, 224, 224))
    print("VGG-16", count_parameters(vgg))
    print("converted", count_parameters(net))
    for side in 224, 500:
        print(f"{side} x {side} ->", tuple(net(torch.rand(1, 3, side, side)).shape[1:]))


def race() -> None:
    """Print what all patches of an image take, at once and one after the other."""
    patches = PatchClassifier(1, 2).eval().classifier
    net = fully_convolutional(patches, (1, 36, 36))
    image = torch.rand(1, 1, 540, 540)
    for _ in range(5):
        times = [perf_counter()]
        dense = net(image)[0]
        times.append(perf_counter())
        cut = image.unfold(2, 36, 8).unfold(3, 36, 8).reshape(-1, 1, 36, 36)
        singly = torch.cat([patches(some) for some in torch.split(cut, 64)])
        times.append(perf_counter())
        differ = (dense - singly.T.view_as(dense)).abs().max()
        quick, slow = times[1] - times[0], times[2] - times[1]
        print(
            f"{len(cut)} patches: {1e3 * quick:.0f} ms at once, {1e3 * slow:.0f} ms in "
            f"batches of 64, {slow / quick:.1f} times; differ by {differ:.0e} at most"
        )


def pad() -> None:
    """Print the scores of a patch, cut out and within its image."""
    torch.manual_seed(0)
    for padding, side in (0, 34), (1, 32):
        convolution = nn.Conv2d(1, 16, 3, padding=padding)
        flat = nn.Flatten(), nn.Linear(16 * 16 * 16, 2)
        classifier = nn.Sequential(convolution, nn.ReLU(), nn.MaxPool2d(2), *flat)
        image = torch.rand(1, 1, 200, 200)
        apart = classifier(image[..., 40 : 40 + side, 40 : 40 + side])[0]
        within = fully_convolutional(classifier, (1, side, side))(image)[0, :, 20, 20]
        scores = [[f"{n:.3f}" for n in some.tolist()] for some in (apart, within)]
        print(f"padding {padding}: cut out {scores[0]}, within its image {scores[1]}")


if __name__ == "__main__":
    with torch.no_grad():
        convert()
        race()
        pad()
