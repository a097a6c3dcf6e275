"""Networks and front ends: arrays in, descriptors out (owner of torch, torchaudio and timm)."""
