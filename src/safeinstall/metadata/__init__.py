"""The only readers of what installers write about a distribution (`.dist-info`, `.egg-info`).

Standard library only, Python >= 3.8, cheap: the probe, recovery in another interpreter, and a
question that is answered in milliseconds read through it. Nothing here judges or changes anything.
"""
