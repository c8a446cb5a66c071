import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from napari_unet.errors import ModelError
from napari_unet.nets import (
    count_parameters,
    fully_convolutional,
    is_fully_convolutional,
)


def settled(net, shape):
    """Give batch norms something to subtract."""
    net.train()
    for _ in range(3):
        net(torch.rand(4, *shape) * 2 - 0.5)
    return net.eval()


@st.composite
def unpadded(draw):
    """Return a classifier without padding, the side it takes, and its stride."""
    torch.manual_seed(draw(st.integers(0, 9)))
    kernels = draw(st.lists(st.sampled_from([2, 3]), min_size=1, max_size=2))
    side = seen = draw(st.integers(1, 4))
    layers, stride, channels = [], 1, 2
    for kernel in kernels:
        layers += [nn.Conv2d(channels, 4, kernel), nn.ReLU(), nn.MaxPool2d(2)]
        stride, channels = stride * 2, 4
    for kernel in reversed(kernels):
        seen = seen * 2 + kernel - 1
    if draw(st.booleans()):
        layers.append(nn.BatchNorm2d(4))
    head = draw(st.sampled_from(["flat", "global", "adaptive"]))
    if head == "flat":
        layers.append(nn.Flatten())
        inputs = 4 * side * side
    else:
        windows = 1 if head == "global" else side
        layers += [nn.AdaptiveAvgPool2d(windows), nn.Flatten()]
        inputs = 4 * windows * windows
    for width in draw(st.lists(st.integers(1, 6), max_size=2)):
        layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.Tanh()]
        layers.append(nn.Dropout(0.3))
        inputs = width
    layers.append(nn.Linear(inputs, 3, bias=draw(st.booleans())))
    net = settled(nn.Sequential(*layers), (2, seen, seen))
    return net.double(), seen, stride


@given(unpadded(), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_each_pixel_is_the_classifier_run_on_the_patch_it_sees(case, more_y, more_x):
    classifier, side, stride = case
    net = fully_convolutional(classifier, (2, side, side))
    image = torch.rand(1, 2, side + more_y, side + more_x, dtype=torch.float64)
    with torch.no_grad():
        dense = net(image)
        assert dense.shape[2:] == (more_y // stride + 1, more_x // stride + 1)
        for i in range(dense.shape[2]):
            for j in range(dense.shape[3]):
                y, x = i * stride, j * stride
                scores = classifier(image[..., y : y + side, x : x + side])
                torch.testing.assert_close(dense[..., i, j], scores, atol=1e-10, rtol=0)
    assert is_fully_convolutional(net)


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn", "resnet18"])
def test_nets_of_torchvision(name):
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    classifier = getattr(models, name)(num_classes=5).eval()
    verdict = is_fully_convolutional(classifier)
    assert not verdict and "(Linear)" in str(verdict.breaking)
    net = fully_convolutional(classifier, (3, 224, 224))
    image = torch.rand(2, 3, 224, 224)
    with torch.no_grad():
        out = net(image)
        assert out.shape == (2, 5, 1, 1)
        torch.testing.assert_close(out[..., 0, 0], classifier(image), atol=1e-5, rtol=0)
        assert net(image[:1].repeat(1, 1, 2, 1)).shape[2] > 1
    assert count_parameters(net).total == count_parameters(classifier).total
    assert is_fully_convolutional(net)


class Functional(nn.Module):
    """Writes its forward as a researcher would."""

    def __init__(self, after="flatten"):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.after = after
        self.fc = nn.Linear(4 if after == "mean" else 256, 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        x = nn.functional.max_pool2d(x + self.second(x), 2)
        if self.after == "mean":
            x = x.mean([2, 3])
        elif self.after == "view":
            x = x.view(x.size(0), -1)
        elif self.after == "rows":
            x = x.permute(0, 2, 3, 1).flatten(1)
        else:
            x = torch.flatten(x, 1)
        return self.fc(nn.functional.dropout(x, 0.5, self.training))


@pytest.mark.parametrize("after", ["flatten", "mean", "view"])
def test_functions_are_converted(after):
    classifier = Functional(after).double().eval()
    image = torch.rand(2, 1, 16, 16, dtype=torch.float64)
    net = fully_convolutional(classifier, (1, 16, 16))
    with torch.no_grad():
        torch.testing.assert_close(net(image)[..., 0, 0], classifier(image))
        assert net(torch.rand(1, 1, 20, 16).double()).shape == (1, 3, 3, 1)
    assert not is_fully_convolutional(classifier)
    assert is_fully_convolutional(net)


@pytest.mark.parametrize(
    ("classifier", "shape", "message"),
    [
        (Functional("rows"), (1, 16, 16), "'permute' cannot be made"),
        (Functional(), (1, 18, 18), r"'fc' \(Linear\).*input shape"),
        (Functional(), (1, 16), "three numbers"),
        (
            nn.Sequential(
                nn.Conv2d(1, 2, 3),
                nn.AdaptiveAvgPool2d(3),
                nn.Flatten(1),
                nn.Linear(18, 2),
            ),
            (1, 12, 12),
            r"'1' \(AdaptiveAvgPool2d\).*not all alike",
        ),
        (
            nn.Sequential(nn.GroupNorm(1, 1), nn.Flatten(), nn.Linear(16, 2)),
            (1, 4, 4),
            r"'0' \(GroupNorm\).*no convolution",
        ),
        (nn.Sequential(nn.Conv2d(1, 2, 3)), (1, 8, 8), "no classifier"),
        (
            nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 2)),
            (1, 4, 4),
            r"'1' \(BatchNorm1d\).*each place",
        ),
    ],
)
def test_what_cannot_be_converted_is_named(classifier, shape, message):
    with pytest.raises(ModelError, match=message):
        fully_convolutional(classifier, shape)


def test_decisions_by_the_image_cannot_be_converted():
    class Deciding(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(ModelError, match="Deciding cannot be converted"):
        fully_convolutional(Deciding(), (1, 4, 4))


def test_what_fully_connected_layers_cost():
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 36, 10)
    )
    counts = count_parameters(net)
    assert counts == (80, 2890, 16)
    assert counts.total == 2986
