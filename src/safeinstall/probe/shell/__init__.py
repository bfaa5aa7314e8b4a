"""What a command line reaches: shell text taken apart, PATH and shebangs followed.

Nothing is run.
"""
