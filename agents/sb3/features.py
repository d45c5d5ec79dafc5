"""What stands between the pixels and an SB3 policy: extractors for images of 8x8 pixels and up."""

from gymnasium.spaces import Box
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

MAPS = (32, 64, 64)


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
