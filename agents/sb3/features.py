"""What stands between the pixels and an SB3 policy: extractors for images of 8x8 pixels and up."""

import torch
from gymnasium.spaces import Box
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from agents.networks import NETWORKS, initialise
from agents.seeding import generators
from agents.weighted import weighted

MAPS = (32, 64, 64)
OUTPUTS = 1  # the layer that is taken away again


class SmallCnn(BaseFeaturesExtractor):
    """Three 3x3 convolutions with ReLU, the second and third of stride 2, and a layer of units.

    SB3's own NatureCNN needs 36x36 pixels. Images (B, C, H, W) in 0..1 -> (B, features_dim).
    """

    def __init__(self, observation_space: Box, features_dim: int = 128) -> None:
        super().__init__(observation_space, features_dim)
        channels, height, width = observation_space.shape
        modules: list[nn.Module] = []
        for below, above, stride in zip((channels, *MAPS), MAPS, (1, 2, 2), strict=False):
            modules += [nn.Conv2d(below, above, 3, stride, padding=1), nn.ReLU()]
        height, width = -(-height // 4), -(-width // 4)
        units = nn.Linear(MAPS[-1] * height * width, features_dim)
        self.net = nn.Sequential(*modules, nn.Flatten(), units, nn.ReLU())

    def forward(self, observations: Tensor) -> Tensor:
        """Features of each image."""
        return self.net(observations)


class Body(BaseFeaturesExtractor):
    """All of one of our networks but its output layer: images (B, C, H, W) in 0..1 -> features.

    With the seed of one of our agents it has the weights that this one begins with.
    """

    def __init__(
        self, observation_space: Box, network: str = "dense", sizes: tuple[int, ...] = (),
        init: str = "he", seed: int = 0, device: str = "cpu",
    ) -> None:  # fmt: skip
        channels, height, width = observation_space.shape
        drawn = generators(seed, torch.device(device))
        net = NETWORKS[network]((height, width, channels), OUTPUTS, sizes, drawn["dropout"])
        initialise(net, init, drawn["weights"])
        super().__init__(observation_space, weighted(net)[-1].fan_in)
        self.net, self.dropout = net[:-1], drawn["dropout"]

    def forward(self, observations: Tensor) -> Tensor:
        """Features of each image."""
        return self.net(observations.permute(0, 2, 3, 1))
