import subprocess
import sys

import numpy as np
import pytest

from napari_unet.nets.allocator import kept_memory


def test_memory_is_given_back_in_the_end():
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()
    before = process.memory_info().rss
    with kept_memory(), kept_memory():
        for _ in range(3):
            blocks = [np.ones(20_000_000, np.uint8) for _ in range(5)]
        del blocks
    assert process.memory_info().rss - before < 50_000_000


# In a process of its own: what others have freed would be taken first.
KEEP = """
import numpy as np, psutil
from napari_unet.nets import allocator

allocator.MOST_KEPT = 50_000_000
process = psutil.Process()
with allocator.kept_memory():
    before = process.memory_info().rss
    for n in (1, 5, 1):
        with allocator.kept_memory():
            blocks = [np.ones(20_000_000, np.uint8) for _ in range(n)]
            del blocks
        print(process.memory_info().rss - before > 15_000_000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is kept elsewhere")
def test_no_more_than_a_limit_is_kept_from_one_image_to_the_next():
    done = subprocess.run(
        [sys.executable, "-c", KEEP], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False", "True"]


def test_it_ends_with_an_error():
    with pytest.raises(RuntimeError, match="stop"), kept_memory():
        raise RuntimeError("stop")
    with kept_memory():
        assert np.ones(1000).sum() == 1000
