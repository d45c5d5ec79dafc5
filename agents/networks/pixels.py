"""What every network begins with: bytes or fractions, arranged as its first layer reads them."""

import torch
from torch import Tensor, nn

Shape = tuple[int, int, int]  # height, width, channels


class Pixels(nn.Module):
    """Images (B, H, W, C), uint8 0..255 or float 0..1 -> float (B, C, H, W), or flat (B, H*W*C).

    From the fractions 0..1 `mean` is taken, and the rest divided by `std`.
    """

    def __init__(self, flat: bool):
        super().__init__()
        self.flat = flat
        self.mean, self.std = 0.0, 1.0

    def forward(self, images: Tensor) -> Tensor:
        """Scale and arrange the pixels."""
        # In this order the permuted view is PyTorch's channels-last format: no copy is made.
        images = images.flatten(1) if self.flat else images.permute(0, 3, 1, 2)
        fractions = images * (1 / 255) if images.dtype == torch.uint8 else images
        return fractions if (self.mean, self.std) == (0, 1) else (fractions - self.mean) / self.std


def standardise(net: nn.Module, mean: float, std: float) -> None:
    """Let a network's pixels (fractions 0..1) have `mean` taken out and be divided by `std`."""
    for module in net.modules():
        if isinstance(module, Pixels):
            module.mean, module.std = mean, std


def require(network: str, shape: Shape, least: int) -> None:
    """Refuse images that are too small for a network. Raises ValueError."""
    if min(shape[:2]) < least:
        raise ValueError(
            f"network {network!r} needs images of at least {least}x{least} pixels, "
            f"these are {shape[0]}x{shape[1]}: use 'dense' or 'conv'"
        )
