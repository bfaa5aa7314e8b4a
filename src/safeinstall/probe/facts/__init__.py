"""Facts: the running interpreter, others as their files say, and who may write where.

The lowest of the sub-rooms: it knows nothing of cells, shells and installers.
"""
