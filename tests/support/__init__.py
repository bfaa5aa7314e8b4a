"""What the tests stand on: wheels, environments, kernels and users that are real."""
