"""Real media from public packages, each work in exactly one of the train, dev and test splits."""
