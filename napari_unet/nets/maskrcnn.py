"""Mask R-CNN (He, Gkioxari, Dollár and Girshick, ICCV 2017), the other road to objects.

It needs torchvision, the extra ``maskrcnn``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from napari_unet.errors import ModelError
from napari_unet.nets.net import SegmentationNet

if TYPE_CHECKING:
    from collections.abc import Sequence

# Sides of the boxes that each level of the pyramid proposes, in pixels. The paper's, 32
# to 512, are for photographs; most cells are smaller.
ANCHORS = (8, 16, 32, 64, 128)
# The detector's own likelihood for a pixel or a box to count.
LIKELY = 0.5
MOST_OBJECTS = 300
# Of what the edge of a crop leaves of an object, less teaches nothing, in pixels.
THINNEST = 2
# The logit of the boundary at the edge of a mask, and minus that elsewhere.
SURE = 3.0
# The least probability of a class, so that its logarithm is finite.
TINY = 1e-3


class MaskRCNN(SegmentationNet):
    """torchvision's ``maskrcnn_resnet50_fpn_v2`` as a net that a model may have.

    It proposes boxes, says what each holds and draws a mask in it. So that it is
    trained, tiled, previewed and shown as any other net is, `forward` lays its masks
    into maps: logits of the classes, and as boundaries the outermost pixels of each
    mask. Where tiles overlap both see an object whole; a watershed of the boundaries
    finds it across the seam, as it does for a U-Net.

    Parameters
    ----------
    in_channels : int
        Channels of the image.
    n_classes : int
        Classes with background.
    """

    full_precision = True
    own_loss = True
    learns_objects = True

    def __init__(self, in_channels: int, n_classes: int) -> None:
        super().__init__()
        try:
            from torchvision.models.detection import maskrcnn_resnet50_fpn_v2
            from torchvision.models.detection.anchor_utils import AnchorGenerator
        except (ImportError, RuntimeError) as error:
            raise ModelError(
                "A Mask R-CNN needs torchvision, which is not installed. Run: pip "
                'install "napari-unet-annotator[maskrcnn]"'
            ) from error
        self.n_classes = n_classes
        self.boundary_head = True
        # A mask of full size for each object, beside the maps of the pyramid.
        self.maps = MOST_OBJECTS // 4
        self.detector = maskrcnn_resnet50_fpn_v2(
            weights=None,
            weights_backbone=None,
            num_classes=n_classes,
            box_score_thresh=LIKELY,
            box_detections_per_img=MOST_OBJECTS,
            image_mean=[0.0] * in_channels,
            image_std=[1.0] * in_channels,
            # A crop holds fewer objects than a photograph of 800 pixels.
            rpn_post_nms_top_n_train=500,
            rpn_post_nms_top_n_test=MOST_OBJECTS,
            box_batch_size_per_image=128,
            # Pixels stay as large as they are, in training and in any tile.
            _skip_resize=True,
        )
        self.detector.rpn.anchor_generator = AnchorGenerator(
            tuple((side,) for side in ANCHORS), ((0.5, 1.0, 2.0),) * len(ANCHORS)
        )
        body = self.detector.backbone.body
        if in_channels != body.conv1.in_channels:
            body.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)

    @property
    def multiple(self) -> int:
        """The pyramid's coarsest pixels."""
        return 32

    @property
    def margin(self) -> int:
        """Enough to see most objects whole that a tile cuts."""
        return 64

    @property
    def first_layer(self) -> str:
        """The first convolution."""
        return "detector.backbone.body.conv1.weight"

    @property
    def class_layers(self) -> tuple[str, ...]:
        """What says the class, and draws a box and a mask for each class."""
        heads = "detector.roi_heads"
        return (
            f"{heads}.box_predictor.cls_score",
            f"{heads}.box_predictor.bbox_pred",
            f"{heads}.mask_predictor.mask_fcn_logits",
        )

    def loss(
        self, image: Tensor, objects: Tensor, classes: Tensor, known: Tensor
    ) -> Tensor:
        """Return the sum of the detector's losses; see `SegmentationNet.loss`.

        Where objects are not known the image is blanked: a cell that nobody drew must
        not count as ground.
        """
        images = list(image * known[:, None].to(image.device))
        shown = torch.where(known, objects, 0)
        targets = [
            {name: t.to(image.device) for name, t in _target(o, c).items()}
            for o, c in zip(shown, classes, strict=True)
        ]
        losses: dict[str, Tensor] = self.detector(images, targets)
        return torch.stack(list(losses.values())).sum()

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of what is found, in evaluation mode.

        Parameters
        ----------
        x : Tensor
            ``(N, C, Y, X)``, float32, about 0 to 1.

        Returns
        -------
        Tensor
            ``(N, n_classes + 1, Y, X)``; the last are the boundaries'.
        """
        found: Sequence[dict[str, Any]] = self.detector(list(x))
        return torch.stack([self._laid_out(f, x) for f in found])

    def _laid_out(self, found: dict[str, Any], x: Tensor) -> Tensor:
        """Lay the masks of one image into maps; the likelier one lies on top."""
        height, width = x.shape[-2:]
        probability = x.new_full((self.n_classes, height, width), TINY)
        owner = torch.full((height, width), -1, device=x.device)
        if len(found["scores"]):
            masks = found["masks"][:, 0]
            likely = masks * (masks > LIKELY) * found["scores"][:, None, None]
            top, owner = likely.max(0)
            owner = torch.where(top > 0, owner, -1)
            labels = found["labels"][owner.clamp(min=0)]
            probability.scatter_(0, labels[None], top.clamp(min=TINY)[None])
        probability[0] = 1 - probability[1:].amax(0)
        edge = torch.where(_edges(owner), SURE, -SURE)
        return torch.cat([probability.clamp(min=TINY).log(), edge[None].to(x)])


def _target(objects: Tensor, classes: Tensor) -> dict[str, Tensor]:
    """Return boxes, labels and masks as torchvision takes them."""
    masks, boxes, labels = [], [], []
    for number in sorted(set(objects[objects > 0].tolist())):
        mask = objects == number
        ys, xs = torch.nonzero(mask, as_tuple=True)
        box = [int(n) for n in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)]
        if min(box[2] - box[0], box[3] - box[1]) < THINNEST:
            continue
        of_object = classes[mask & (classes > 0)]
        masks.append(mask)
        boxes.append(box)
        labels.append(int(of_object.mode().values) if len(of_object) else 1)
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "masks": torch.stack(masks).to(torch.uint8)
        if masks
        else objects.new_zeros((0, *objects.shape), dtype=torch.uint8),
    }


def _edges(owner: Tensor) -> Tensor:
    """Return which pixels, ``(Y, X)``, lie beside another object or the ground."""
    edge = torch.zeros_like(owner, dtype=torch.bool)
    down, right = owner[1:] != owner[:-1], owner[:, 1:] != owner[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge & (owner >= 0)
