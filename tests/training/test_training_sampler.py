from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_unet.training.sampler import Sampler
from napari_unet.training.sites import Site


def sites(image, label, n):
    return [Site(image, label, 0, row, 0) for row in range(n)]


def share(drawn, key):
    counts = Counter(map(key, drawn))
    return {k: v / len(drawn) for k, v in counts.items()}


def test_a_rare_class_and_a_small_image_get_their_share():
    sampler = Sampler(seed=0)
    sampler.set_sites("0", sites("0", 0, 500) + sites("0", 1, 1))
    sampler.set_sites("1", sites("1", 0, 2))
    drawn = sampler.draw(2000)
    assert 0.4 < share(drawn, lambda s: s.label)[1] < 0.6
    background = [s for s in drawn if s.label == 0]
    assert 0.4 < share(background, lambda s: s.image)["1"] < 0.6


def test_wrong_and_new_sites_come_more_often_and_known_ones_still_come():
    sampler = Sampler(seed=0)
    old = sites("0", 1, 10)
    sampler.set_sites("0", old)
    for _ in range(10):
        sampler.learnt(old, np.zeros(10, np.float32))
    new = Site("0", 1, 0, 99, 0)
    sampler.set_sites("0", [*old, new])
    shares = share(sampler.draw(3000), lambda s: s == new)
    assert 0.4 < shares[True] < 0.6
    sampler.learnt(old[:1] * 10, np.ones(10, np.float32))
    counts = Counter(sampler.draw(3000))
    assert counts[old[0]] > 4 * counts[old[1]] > 0


def test_painting_a_site_again_makes_it_wrong_again():
    sampler = Sampler(seed=1)
    both = sites("0", 1, 2)
    sampler.set_sites("0", both)
    for _ in range(10):
        sampler.learnt(both, np.zeros(2, np.float32))
    sampler.set_sites("0", both, changed=both[:1])
    counts = Counter(sampler.draw(1000))
    assert counts[both[0]] > 4 * counts[both[1]]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.integers(0, 3)),
        min_size=1,
        max_size=30,
    )
)
def test_only_sites_of_now_are_drawn(given_sites):
    sampler = Sampler()
    now = set()
    for image, label, n in given_sites:
        now = {s for s in now if s.image != image} | set(sites(image, label, n))
        sampler.set_sites(image, sites(image, label, n))
    assert len(sampler) == len(now)
    assert sampler.classes == sorted({s.label for s in now})
    if now:
        assert set(sampler.draw(50)) <= now
