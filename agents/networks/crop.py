"""Images as a learner sees them anew in every pass: mirrored or not, and moved a little."""

import torch
import torch.nn.functional as F
from torch import Tensor

from agents.chance import Source, uniform
from agents.second_look import Drawing


class CropAndFlip(Drawing):
    """Images (B, H, W, C), while training: half of them mirrored, all moved by up to `margin`.

    The way each goes, -margin..margin pixels down and to the right, is drawn evenly (He et al.
    2016, section 4.2); what comes in from beyond the edge is black.
    """

    def __init__(self, margin: int, generator: Source):
        super().__init__(generator)
        self.margin = margin

    def forward(self, images: Tensor) -> Tensor:
        """Move and mirror each image by itself."""
        if not self.training:
            return images
        if not self.again:
            self.draw = uniform(torch.empty(len(images), 3, device=images.device), self.generator)
        mirrored = self.draw[:, :1] < 0.5  # (B, 1)
        down, right = (self.draw[:, 1:, None] * (2 * self.margin + 1)).long().unbind(1)  # (B, 1)
        rows, columns = (torch.arange(n, device=images.device) for n in images.shape[1:3])
        columns = torch.where(mirrored, columns.flip(0), columns) + right  # (B, W)
        framed = F.pad(images, (0, 0, *[self.margin] * 4))
        trials = torch.arange(len(images), device=images.device)
        return framed[trials[:, None, None], (rows + down)[:, :, None], columns[:, None, :]]
