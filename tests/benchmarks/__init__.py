"""Measurements in real kernels: `make bench`. Ratios of one run count, absolute times do not."""
