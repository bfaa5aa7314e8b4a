"""Transactions: the only room that writes into an environment. It knows no policy and no finding.

`store/` keeps (the folder and its lock, journals, history), `moves/` works out what leaves and what
comes and carries it out; on top of them stand `transaction`, `undo`, `recover`, `repair`, and
`in_progress` for environments that are being made. Imports go one way: moves.disk, store, the other
moves, those on top. What `recover` needs imports on Python 3.8 with the standard library alone.
"""
