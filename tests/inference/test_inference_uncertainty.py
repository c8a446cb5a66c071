import numpy as np
import pytest

from napari_unet.inference.uncertainty import uncertainty


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_from_certain_to_clueless(n_classes):
    likely = np.full((n_classes, 1, 3), 1 / n_classes, np.float32)
    likely[:, 0, 0] = 0
    likely[1, 0, 0] = 1
    likely[:, 0, 1] = 0.1 / (n_classes - 1)
    likely[0, 0, 1] = 0.9
    doubt = uncertainty(likely)
    assert doubt.shape == (1, 3) and doubt.dtype == np.float32
    assert doubt[0, 0] == 0
    assert 0 < doubt[0, 1] < doubt[0, 2]
    assert doubt[0, 2] == pytest.approx(1)


def test_two_classes_are_bits():
    likely = np.array([0.25, 0.75], np.float32).reshape(2, 1, 1)
    assert uncertainty(likely)[0, 0] == pytest.approx(0.811278, abs=1e-5)
