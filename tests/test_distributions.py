from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safeinstall.distributions import Change, Changes, Distribution, Snapshot

NAMES = st.sampled_from(["Alpha", "beta.x", "gamma_y", "Delta"])
VERSIONS = st.sampled_from(["1.0", "1.1", "2.0"])


def distribution(name: str, version: str) -> Distribution:
    return Distribution(name=name, version=version, location="/s", metadata=f"/s/{name}.dist-info")


SNAPSHOTS = st.dictionaries(NAMES, VERSIONS).map(
    lambda found: Snapshot(tuple(distribution(n, v) for n, v in found.items()))
)


@given(SNAPSHOTS, SNAPSHOTS)
def test_changes_lead_from_one_snapshot_to_the_other(before: Snapshot, after: Snapshot) -> None:
    state = dict(before.versions())
    for change in before.changes_to(after):
        key = distribution(change.name, "0").key
        assert state.get(key) == change.before
        if change.after is None:
            del state[key]
        else:
            state[key] = change.after
    assert state == after.versions()


def test_requested_changes_come_first_then_by_name() -> None:
    changes = Changes.of(
        [
            Change(name="numpy", before=None, after="2.0"),
            Change(name="pandas", before=None, after="2.3", requested=True),
            Change(name="Click", before=None, after="8"),
        ]
    )
    assert [change.name for change in changes] == ["pandas", "Click", "numpy"]


def test_the_first_copy_on_the_path_is_the_one_that_counts() -> None:
    twice = Snapshot((distribution("six", "1.0"), distribution("six", "2.0")))
    assert twice.versions() == {"six": "1.0"}


def test_a_change_names_its_kind() -> None:
    kinds = [
        Change(name="a", before=None, after="1").kind,
        Change(name="a", before="1", after=None).kind,
        Change(name="a", before="1", after="2").kind,
        Change(name="a", before="1", after="1").kind,
    ]
    assert kinds == ["added", "removed", "replaced", "reinstalled"]
