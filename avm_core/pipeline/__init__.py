"""The stages: one function is one task; they compose the packages below and nothing else."""
