"""Training: augmentation, losses and loops that turn media into weights."""
