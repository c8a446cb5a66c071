"""Which instance head lets touching cells come apart best, in the same minutes.

    python benchmarks/instance_heads.py --head distance --minutes 10 --json

Each head is trained beside the class layer of the same U-Net, with the same crops, on
the grey fluorescence images of BBBC038 `train`; its decoding's threshold is chosen on
`val`, where it is scored.  Targets are made after the warp, from the warped objects.
"""

import argparse
import csv
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from napari_unet.images import measure_intensity, open_image, read_labels
from napari_unet.instances.components import label_components
from napari_unet.instances.watershed import label_hills
from napari_unet.metrics import match
from napari_unet.nets import UNet
from napari_unet.nets.choice import choose_device
from napari_unet.nets.device import autocast
from napari_unet.training.augment import _random_grid, _random_intensity
from napari_unet.training.loss import segmentation_loss

CHANNELS = {"none": 0, "distance": 1, "boundary": 1, "centre": 1, "flows": 2, "both": 2}
VALLEYS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
VOTE = 16.0


def load(data: Path, split: str):
    with (data / "nuclei" / "index.csv").open() as file:
        every = [r for r in csv.DictReader(file) if r["split"] == split]
    for row in every:
        if row["kind"] != "fluo":
            continue
        image = open_image(data / "nuclei" / "images" / f"{row['id']}.png")
        labels = read_labels(data / "nuclei" / "masks" / f"{row['id']}.tif")
        intensity = measure_intensity(image, (0,))
        pixels = intensity.apply(image.read(image.whole(), (0,)))
        yield pixels, labels.astype(np.int32)


def edt_of(ids):
    import edt

    return edt.edt(np.ascontiguousarray(ids.astype(np.uint32)), black_border=False)


def contacts(ids):
    low = ndimage.grey_erosion(np.where(ids > 0, ids, 1 << 24), size=3)
    high = ndimage.grey_dilation(ids, size=3)
    return (ids > 0) & (low != high) & (high > 0) & (low < 1 << 24)


def target(head, ids):
    """Return the head's target (K, Y, X) and where it is known (Y, X)."""
    known = np.ones(ids.shape, bool)
    border = np.unique(np.concatenate([ids[0], ids[-1], ids[:, 0], ids[:, -1]]))
    cut = np.isin(ids, border[border > 0])
    if head == "none":
        return np.zeros((0, *ids.shape), np.float32), known
    depth = edt_of(ids)
    n = int(ids.max()) + 1
    if head == "boundary":
        return ((depth > 0) & (depth < 2))[None].astype(np.float32), known
    if head == "distance":
        top = np.zeros(n, np.float32)
        np.maximum.at(top, ids.ravel(), depth.ravel())
        return (depth / np.maximum(top[ids], 1e-6) * (ids > 0))[None], ~cut
    index = np.arange(1, n)
    where = np.asarray(ndimage.center_of_mass(ids > 0, ids, index)).reshape(-1, 2)
    where = np.concatenate([[[0, 0]], np.nan_to_num(where)])
    yy, xx = np.mgrid[: ids.shape[0], : ids.shape[1]]
    dy, dx = where[ids, 0] - yy, where[ids, 1] - xx
    if head == "centre":
        area = np.bincount(ids.ravel(), minlength=n)
        sigma2 = np.maximum(area[ids], 9) / (8 * np.pi)
        heat = np.exp(-(dy**2 + dx**2) / (2 * sigma2)) * (ids > 0)
        return heat[None].astype(np.float32), ~cut
    if head == "both":
        a, known = target("distance", ids)
        b, _ = target("boundary", ids)
        return np.concatenate([a, b]), known
    flow = np.stack([dy, dx]) * (ids > 0) / VOTE
    return flow.astype(np.float32), ~cut


def head_loss(head, out, truth, known):
    if not out.shape[1]:
        return 0.0
    k = known[:, None].float().expand_as(out)
    if head == "boundary":
        loss = functional.binary_cross_entropy_with_logits(
            out, truth, reduction="none", pos_weight=torch.tensor(3.0)
        )
    elif head == "both":
        a = (out[:, :1] - truth[:, :1]).abs() * 2
        b = functional.binary_cross_entropy_with_logits(
            out[:, 1:], truth[:, 1:], reduction="none", pos_weight=torch.tensor(3.0)
        )
        loss = torch.cat([a, b], 1)
    else:
        loss = (out - truth).abs() * 2
    return (loss * k).sum() / k.sum().clamp(min=1)


def draw(images, n, side, random, chance, carve, head):
    large = int(side * 1.5)
    pixels, ids = [], []
    for _ in range(n):
        image, labels = images[int(random.integers(len(images)))]
        h, w = labels.shape
        y, x = int(random.integers(h)), int(random.integers(w))
        rows = np.arange(y - large // 2, y + large // 2)
        cols = np.arange(x - large // 2, x + large // 2)
        inside = ((rows >= 0) & (rows < h))[:, None] & ((cols >= 0) & (cols < w))
        rows, cols = mirror(rows, h), mirror(cols, w)
        pixels.append(image[:, rows[:, None], cols])
        ids.append(np.where(inside, labels[rows[:, None], cols], -1))
    image = torch.from_numpy(np.stack(pixels))
    ids = torch.from_numpy(np.stack(ids).astype(np.float32))[:, None]
    grid = _random_grid(n, side, large, chance)
    image = functional.grid_sample(
        image, grid, padding_mode="reflection", align_corners=False
    )
    ids = functional.grid_sample(ids + 1, grid, mode="nearest", align_corners=False)
    ids = ids[:, 0].round().int().numpy() - 1
    image = _random_intensity(image, torch.ones(len(image)), chance)
    truths, knowns, classes = [], [], []
    for one in ids:
        beyond = one < 0
        _, compact = np.unique(np.maximum(one, 0), return_inverse=True)
        compact = compact.reshape(one.shape)
        if one.max() <= 0 or (one > 0).all():
            compact = (one > 0).astype(int)
        truth, known = target(head, compact)
        c = (compact > 0).astype(np.int64)
        if carve:
            c[contacts(compact)] = 0
        c[beyond] = -1
        truths.append(truth)
        knowns.append(known & ~beyond)
        classes.append(c)
    return (image, *(torch.from_numpy(np.stack(a)) for a in (classes, truths, knowns)))


def mirror(index, size):
    index = np.abs(index) % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def decode(head, prob, maps, valley):
    """Return objects; `valley` None takes connected components."""
    mask = (prob > 0.5).astype(np.uint8)
    if valley is None:
        return label_components(mask, min_size=15)
    if head == "flows":
        return decode_votes(mask > 0, maps, valley)
    height = maps[0].clip(0, 1)
    if head == "boundary":
        height = prob / (1 + np.exp(maps[0]))
    elif head == "both":
        height = np.sqrt(height) * prob / (1 + np.exp(maps[1]))
    height = (height * 255).astype(np.uint8)
    return label_hills(mask, height, valley=valley, min_size=15)


def decode_votes(mask, maps, valley):
    """Let each pixel vote for a centre, and take the hills of the votes."""
    yy, xx = np.nonzero(mask)
    h, w = mask.shape
    to_y = np.clip(np.rint(yy + maps[0][mask] * VOTE), 0, h - 1).astype(int)
    to_x = np.clip(np.rint(xx + maps[1][mask] * VOTE), 0, w - 1).astype(int)
    votes = np.zeros((h, w))
    np.add.at(votes, (to_y, to_x), 1)
    votes = ndimage.gaussian_filter(votes, 2.0)
    height = (votes / max(votes.max(), 1e-6) * 255).astype(np.uint8)
    hills = label_hills((height > 0).astype(np.uint8), height, valley=valley)
    objects = np.zeros(mask.shape, int)
    objects[yy, xx] = hills[to_y, to_x]
    objects[np.bincount(objects.ravel())[objects] < 15] = 0
    return objects


def scores(pairs):
    result = {}
    for iou in (0.5, 0.75, 0.9):
        total = None
        for truth, found in pairs:
            m = match(truth, found, iou)
            total = m if total is None else total + m
        result[f"{iou:.2f}"] = round(total.average_precision, 4)
    return result


def evaluate(net, head, images):
    maps = []
    for pixels, labels in images:
        h, w = labels.shape
        x = torch.from_numpy(pixels)[None]
        x = functional.pad(x, (32, 32 + -w % 16, 32, 32 + -h % 16), mode="reflect")
        with torch.inference_mode(), autocast(DEVICE):
            out = net(x)[0, :, 32 : 32 + h, 32 : 32 + w].float()
        prob = out[:2].softmax(0)[1].numpy()
        maps.append((labels, prob, out[2:].numpy()))
    valleys = [None] if head == "none" else [None, *VALLEYS]
    return {
        str(v): scores([(labels, decode(head, p, m, v)) for labels, p, m in maps])
        for v in valleys
    }


def main() -> None:
    global DEVICE
    default = Path(os.environ.get("NAPARI_UNET_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--head", choices=CHANNELS, default="distance")
    parser.add_argument("--carve", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--max-width", type=int, default=128)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    DEVICE, _ = choose_device("cpu")
    images = list(load(args.data, "train"))
    random = np.random.default_rng(args.seed)
    chance = torch.Generator().manual_seed(args.seed)
    net = UNet(
        1,
        2 + CHANNELS[args.head],
        depth=args.depth,
        width=args.width,
        max_width=args.max_width,
    ).to(memory_format=torch.channels_last)
    import copy

    mean = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), args.rate)
    begin, step, spent = time.monotonic(), 0, 0.0
    while (done := (time.monotonic() - begin) / 60 / args.minutes) < 1:
        t = time.monotonic()
        batch = draw(
            images, args.batch, args.crop, random, chance, args.carve, args.head
        )
        image, classes, truth, known = batch
        spent += time.monotonic() - t
        # Falls to a twentieth over the last 30 %.
        fall = 1.0 if done < 0.7 else 1 - 0.95 * (done - 0.7) / 0.3
        for group in optimiser.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / 20) * fall
        net.train()
        with autocast(DEVICE):
            out = net(image.to(memory_format=torch.channels_last))
        out = out.float()
        weight = torch.ones(classes.shape)
        loss = segmentation_loss(out[:, :2], classes, weight, torch.ones(2))
        loss = loss + head_loss(args.head, out[:, 2:], truth, known)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        decay = min(0.99, (1 + step) / (10 + step))
        with torch.no_grad():
            for a, b in zip(
                mean.state_dict().values(), net.state_dict().values(), strict=True
            ):
                a.lerp_(b, 1 - decay) if a.is_floating_point() else a.copy_(b)
        if step % 100 == 0:
            print(
                step,
                f"{time.monotonic() - begin:.0f} s loss {float(loss):.3f} "
                f"data {spent:.0f} s",
                flush=True,
            )
    result = {
        "args": {k: str(v) for k, v in vars(args).items()},
        "steps": step,
        "val": evaluate(mean, args.head, list(load(args.data, "val"))),
    }
    if args.test:
        result["test"] = evaluate(mean, args.head, list(load(args.data, "test")))
    print(json.dumps(result, indent=1))
    if args.out:
        args.out.write_text(json.dumps(result))
        torch.save(mean.state_dict(), args.out.with_suffix(".pt"))


if __name__ == "__main__":
    main()
