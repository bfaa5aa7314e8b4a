"""What an environment shows when it is only looked at: read from disk, nothing is started.

Everything works on an environment whose interpreter cannot start any more.
"""
