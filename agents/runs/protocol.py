"""What a run learns from and what is read of it: the comparison's own way, or a paper's."""

from dataclasses import dataclass

from credit_envs.splits import check_split


@dataclass(frozen=True)
class Protocol:
    """The default: learn from "train", read "validation" at each point, and test at the end."""

    learns: str = "train"
    """The split that the agent learns from."""
    reads: str = "validation"
    """The split whose accuracy is read at each evaluation point."""
    selects: bool = False
    """Test images are read where the readings were best, instead of at the end."""
    images: int = 0
    """Read of each split: the first so many in canonical order; 0: all."""
    patience: int = 0
    """The run ends after so many points without a rise (`early_stopping`); 0: at the last one."""

    def __post_init__(self):
        check_split(self.learns)
        check_split(self.reads)
        if self.images < 0 or self.patience < 0:
            raise ValueError(
                f"images and patience are 0 or more, got {self.images} and {self.patience}"
            )


STANDARD = Protocol()
