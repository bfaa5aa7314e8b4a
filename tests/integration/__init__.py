"""Real environments, real installers, real kernels."""
