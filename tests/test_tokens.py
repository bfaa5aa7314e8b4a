"""What `tokens.ts` says of the kernel's answers, against the answers themselves."""

from __future__ import annotations

import ast
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from safeinstall import agent, render
from safeinstall.agent import attention, facts, jobs, older, operate, packages
from safeinstall.distributions import Change, Changes
from safeinstall.environment import Destination
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.kernels import Registered
from safeinstall.operations import Context
from safeinstall.operations.history import History
from safeinstall.outcome import Outcome, Restart, Status
from safeinstall.render.layout import Mark
from safeinstall.transaction.store.history import Store
from support.environments import CHECKOUT
from support.reports import MARKER, environment, locked_access
from test_transaction_trees import environment as tree
from test_transaction_trees import install, package
from test_transaction_trees import no_waiting as no_waiting
from test_transaction_undo import undo

JS = CHECKOUT / "js"
SOURCE = re.sub(r"/\*.*?\*/|//[^\n]*", "", (JS / "src/tokens.ts").read_text("utf-8"), flags=re.S)
TOKEN = re.compile(r"'[^']*'|\w+|\[\]|[{}\[\]|:;?]")
PRIMITIVES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "any": (object,),
}
SETTINGS = "IOptions"
"""What the panel says of itself; the rest are answers of a kernel."""


class Types:
    """The interfaces and unions of a TypeScript file, and which values keep to them.

    A type is what JSON could hold of it: a list of its members, each a word, a literal, or a pair.
    """

    def __init__(self, source: str) -> None:
        self.named: dict[str, Any] = {}
        self.given: set[tuple[str, str]] = set()
        """Which keys of which interfaces have been met in a value."""
        self._words: Iterator[str] = iter(())
        self._next = ""
        heads = r"export (?:interface (?!ISafeInstall)(\w+)(?=\s*\{)|type (\w+) =)"
        for head in re.finditer(heads, source):
            self._words = iter(TOKEN.findall(source[head.end() :]))
            self._take()
            self.named[head[1] or head[2]] = self._union()

    def _take(self) -> str:
        word, self._next = self._next, next(self._words, "")
        return word

    def _union(self) -> list[Any]:
        if self._next == "|":
            self._take()
        members = [self._member()]
        while self._next == "|":
            self._take()
            members.append(self._member())
        return members

    def _member(self) -> Any:
        found: Any = self._object() if self._next == "{" else self._take()
        while self._next == "[]":
            self._take()
            found = ("list", [found])
        return found

    def _object(self) -> Any:
        self._take()
        keys: dict[str, tuple[bool, list[Any]]] = {}
        while self._next != "}":
            name = self._take()
            if name == "[":
                for _ in "name", ":", "string", "]", ":":
                    self._take()
                every = self._union()
                self._skip(";")
                self._skip("}")
                return ("every", every)
            optional = self._skip("?")
            assert self._skip(":"), f"{name} is no data"
            keys[name] = (optional, self._union())
            self._skip(";")
        self._take()
        return ("keys", keys)

    def _skip(self, word: str) -> bool:
        found = self._next == word
        if found:
            self._take()
        return found

    def literals(self, name: str, key: str = "") -> set[str]:
        """Return the strings of a union, which is a type of its own or that of a key."""
        members = self.inner(name)[key][1] if key else self.named[name]
        while len(members) == 1 and members[0] in self.named:
            members = self.named[members[0]]
        assert all(member.startswith("'") for member in members), members
        return {member[1:-1] for member in members}

    def inner(self, name: str) -> dict[str, tuple[bool, list[Any]]]:
        """Return the keys of an interface: whether each may be missing, and its type."""
        ((_, keys),) = self.named[name]
        found: dict[str, tuple[bool, list[Any]]] = keys
        return found

    def faults(self, value: object, name: str) -> list[str]:
        """Say where a value is not what the type of that name promises."""
        return list(self._faults(value, name, name))

    def _faults(self, value: object, member: Any, where: str) -> Iterator[str]:
        if isinstance(member, str) and member in self.named:
            members = self.named[member]
            if len(members) > 1:
                yield from self._none_of(value, members, where)
            else:
                yield from self._faults(value, members[0], member)
        elif isinstance(member, str) and member.startswith("'"):
            if value != member[1:-1]:
                yield f"{where}: {value!r} is not {member}"
        elif isinstance(member, str):
            boolean = isinstance(value, bool) and member == "number"
            if not isinstance(value, PRIMITIVES[member]) or boolean:
                yield f"{where}: {value!r} is no {member}"
        else:
            yield from self._parts(value, member, where)

    def _parts(self, value: object, member: tuple[str, Any], where: str) -> Iterator[str]:
        kind, inner = member
        if kind == "list":
            if not isinstance(value, list):
                yield f"{where}: {value!r} is no list"
            else:
                for each in value:
                    yield from self._none_of(each, inner, f"{where}[]")
        elif not isinstance(value, dict):
            yield f"{where}: {value!r} is no object"
        elif kind == "every":
            for each in value.values():
                yield from self._none_of(each, inner, where)
        else:
            for key, (optional, members) in inner.items():
                if key in value:
                    self.given.add((where, key))
                    yield from self._none_of(value[key], members, f"{where}.{key}")
                elif not optional:
                    yield f"{where}.{key} is never given"

    def _none_of(self, value: object, members: list[Any], where: str) -> Iterator[str]:
        """Yield what is wrong with the member that comes nearest, unless one fits."""
        answers = [list(self._faults(value, member, where)) for member in members]
        if all(answers):
            yield from min(answers, key=lambda faults: ("is no object" in faults[0], len(faults)))

    def keys(self) -> Iterator[tuple[str, str]]:
        """Yield every key of every interface that a kernel answers with."""
        for name, members in self.named.items():
            if len(members) == 1 and members[0][0] == "keys" and name != SETTINGS:
                yield from ((name, key) for key in members[0][1])


TYPES = Types(SOURCE)


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, jobs.STATE, raising=False)


def value(method: str, **params: Any) -> Any:
    """Return an answer as it is after its way through JSON."""
    answer = json.loads(json.dumps(agent.answer(method, params)))
    assert "error" not in answer, answer
    return answer["value"]


def ended(job: dict[str, Any]) -> Any:
    end = time.monotonic() + 10
    while (found := value("status", id=job["id"]))["state"] == "running":
        assert time.monotonic() < end, "the job did not end"
        time.sleep(0.01)
    return found


def keep_to(name: str, values: Iterable[object]) -> None:
    """See that every value is what the type says."""
    for each in values:
        assert TYPES.faults(json.loads(json.dumps(each)), name) == []


def outcome(**changes: Any) -> Outcome:
    here = environment()
    found = Finding(
        code="yanked",
        severity=Severity.WARNING,
        message="It was taken back.",
        hint=(Suggestion(command="%safeinstall 'one<2'", note="the one before"),),
    )
    change = Change(name="one", before=None, after="2.0", requested=True)
    settings = {"status": "done", "transaction": "1-abc", **changes}
    return Outcome(
        environment=here,
        destination=Destination.of(here),
        findings=(found,),
        changes=Changes((change,)),
        **settings,
    )


def words_for(told: Outcome) -> dict[str, Any]:
    return operate.in_words(
        told, Context(environment=environment(), live=True, environ={}, cwd="/")
    )


def failing(job: jobs.Job) -> None:
    raise SafeInstallError("No disk.", code="no-space", hint="df")


def waiting(job: jobs.Job) -> None:
    job.cancelled.wait(10)


def found_jobs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return jobs in each of their states, with all that they may end with."""
    monkeypatch.setattr(packages, "offered", lambda *args, **options: ("2.0", "1.0"))
    wanted = "packaging"  # it is installed wherever this runs
    done = [
        ended(jobs.start("install", "one", lambda job: words_for(outcome()))),
        ended(jobs.start("install", "one", failing)),
        ended(value("versions", line=wanted, cursor=len(wanted))),
        ended(jobs.start("upgrades", "one", lambda job: {"upgrades": {"one": "2.0"}})),
    ]
    running = jobs.start("install", "two", waiting)
    return [*done, running, value("cancel", id=running["id"])]


def transactions(prefix: Path) -> list[dict[str, Any]]:
    """Return the history of an environment in which things were done and taken back."""
    tree(prefix, [package("one", "1.0")])
    install(prefix, [package("one", "2.0"), package("two", "1.0")], [package("one", "1.0")])
    undo(prefix)
    install(prefix, [package("two", "2.0")])
    kept = Store.open(str(prefix)).history()
    told = History(entries=kept, environment=environment()).to_dict()["transactions"]
    return list(told)


def verdicts() -> list[dict[str, Any]]:
    ephemeral = {"hints": ["/.dockerenv"], "ephemeral": True}
    return [
        facts._verdict(here)
        for here in (
            environment(),
            environment(kind="pyodide"),
            environment(externally_managed=MARKER),
            environment(access=locked_access()),
            environment(sys_path=[]),
            environment(container=ephemeral),
        )
    ]


CELLS = [
    {"id": "a", "source": "import json, not_there_at_all"},
    {"id": "b", "source": "!pip install --target=/nowhere/else one"},
]


def test_every_answer_has_what_the_panel_reads_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_to("IJob", found_jobs(monkeypatch))
    keep_to("IFacts", [value("facts", cells=CELLS), older.facts({})])
    keep_to("IVerdict", verdicts())
    cells = value("cells", cells=CELLS)
    assert cells["missing"]
    assert cells["wrong"][0]["actions"]
    keep_to("ICells", [cells])
    keep_to("IPackage", value("packages"))
    keep_to("ITransaction", transactions(tmp_path / "env"))
    button = attention.action("Repair", "repair", ids=["a"])
    way = Suggestion(command="%safeinstall one").to_dict()
    keep_to("IFinding", [attention.finding("leftover", "It is.", button, suggestions=[way])])
    keep_to("IFailure", [agent.answer("no_such_method", {})["error"]])
    shown = render.Displayed(outcome(), render.outcome_message(outcome()))
    identifier = shown._repr_mimebundle_()[render.MIME]["id"]
    keep_to("IWays", [value("outcome", id=identifier)["made"]])
    keep_to("IMessage", [attention.message("✓", "Done.")])
    made = Registered(name="a", display_name="A", folder="/a", python="/a/bin/python").to_dict()
    keep_to("IResult", [words_for(outcome(status=s)) | {"kernel": made} for s in get_args(Status)])
    # what is optional is given somewhere, or else it is a key that nobody writes
    left = {key for name, key in set(TYPES.keys()) - TYPES.given}
    assert left - written_by_the_agent() == set()


def nodes() -> Iterator[ast.AST]:
    """Yield all that the agent's files are made of."""
    for path in Path(agent.__file__).parent.glob("*.py"):
        yield from ast.walk(ast.parse(path.read_text("utf-8")))


def written_by_the_agent() -> set[str]:
    """Return the keys of the dictionaries that the agent writes."""
    written: list[ast.expr | None] = []
    for node in nodes():
        written += node.keys if isinstance(node, ast.Dict) else ()
        written += [node.slice] if isinstance(node, ast.Subscript) else ()
    return {str(key.value) for key in written if isinstance(key, ast.Constant)}


def kinds_of_jobs() -> set[str]:
    """Return the kinds with which the agent starts work."""
    return {
        str(node.args[0].value)
        for node in nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("start", "_started")
        and isinstance(node.args[0], ast.Constant)
    }


@pytest.mark.parametrize(
    ("name", "key", "known"),
    [
        ("IOutcome", "status", get_args(Status)),
        ("IOutcome", "restart", get_args(Restart)),
        ("IFinding", "severity", [each.value for each in Severity]),
        ("IMessage", "mark", get_args(Mark)),
        ("IVerdict", "state", [verdict["state"] for verdict in verdicts()]),
        ("IOptions", "shellInstalls", facts._MODES),
        ("IOptions", "ask", operate._ASKING),
        ("JobKind", "", kinds_of_jobs()),
    ],
)
def test_a_word_of_python_is_a_word_of_the_panel_and_the_other_way_round(
    name: str, key: str, known: Iterable[str]
) -> None:
    assert TYPES.literals(name, key) == set(known)


def test_states_of_work_and_of_transactions_are_those_that_happen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {job["state"] for job in found_jobs(monkeypatch)} == TYPES.literals("IJob", "state")
    states = {done["state"] for done in transactions(tmp_path / "env")}
    assert states == TYPES.literals("ITransaction", "state")


def test_the_settings_are_those_of_the_schema() -> None:
    schema = json.loads((JS / "schema/plugin.json").read_text("utf-8"))["properties"]
    assert set(TYPES.inner(SETTINGS)) == set(schema)
    for name, described in schema.items():
        if "enum" in described:
            assert TYPES.literals("IOptions", name) == set(described["enum"])


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ({"name": "a"}, "IChange.before is never given"),
        ({"name": "a", "before": 1, "after": None}, "IChange.before: 1 is no string"),
        ([], "IChange: [] is no object"),
    ],
)
def test_a_value_that_does_not_keep_to_its_type_is_seen(broken: object, fault: str) -> None:
    assert fault in TYPES.faults(broken, "IChange")
