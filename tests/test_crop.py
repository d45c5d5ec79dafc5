"""Images that move: every crop and mirror image there is, each trial's own, twice the same."""

import copy
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from agents.networks.crop import CropAndFlip
from agents.second_look import second_look
from agents.together.stacked import stacked

SHAPE = (4, 3, 2)


def crop(margin=1):
    return CropAndFlip(margin, torch.Generator().manual_seed(0))


def every_one(image, margin):
    """All crops of a framed image (H, W, C), plain and mirrored."""
    height, width, _ = image.shape
    for mirrored in (False, True):
        framed = F.pad(image.flip(1) if mirrored else image, (0, 0, *[margin] * 4))
        for down, right in product(range(2 * margin + 1), repeat=2):
            yield framed[down : down + height, right : right + width]


@pytest.mark.parametrize("bytes_", [True, False])
def test_each_image_becomes_any_of_its_crops_as_often_as_another(bytes_):
    image = torch.arange(1, 25).view(SHAPE).to(torch.uint8 if bytes_ else torch.float32)
    seen = crop()(image.expand(3600, *SHAPE))
    assert seen.dtype == image.dtype
    counts = [int((seen == one).flatten(1).all(1).sum()) for one in every_one(image, 1)]
    assert sum(counts) == 3600  # nothing else
    assert len(counts) == 18
    assert all(150 < count < 250 for count in counts)  # 200, sd 14


def test_only_a_net_that_learns_moves_its_images():
    images = torch.rand(5, *SHAPE)
    assert torch.equal(crop().eval()(images), images)
    assert not torch.equal(crop()(images), images)


def test_a_second_look_sees_the_same_crop():
    module, images = crop(), torch.rand(50, *SHAPE)
    first = module(images)
    with second_look(module):
        assert torch.equal(module(images), first)
    assert not torch.equal(module(images), first)


def test_nets_in_one_batch_crop_as_each_would_alone():
    nets = [nn.Sequential(CropAndFlip(2, torch.Generator().manual_seed(seed))) for seed in (3, 4)]
    images = torch.rand(2, 6, *SHAPE)
    both = stacked(copy.deepcopy(nets))(images.flatten(0, 1)).unflatten(0, (2, 6))
    assert torch.equal(both, torch.stack([net(one) for net, one in zip(nets, images, strict=True)]))
