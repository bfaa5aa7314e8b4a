"""Kernelspecs and the kernels they start: list, judge, register, and start one for a proof.

The room meets `jupyter_client`; nothing else in the package does.
"""
