"""Image classification as direct-reward Gymnasium environments."""
