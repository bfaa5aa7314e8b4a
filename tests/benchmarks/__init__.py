"""Measurements in real kernels: `make bench`. Ratios within one run count, absolute times do not."""
