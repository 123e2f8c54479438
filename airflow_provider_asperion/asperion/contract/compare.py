"""Holds our side of the contract against a description: what is missing, renamed, retyped, newly required."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.contract.findings import Comparison, Finding
from airflow_provider_asperion.asperion.contract.likeness import letters, near, same_path, without_key
from airflow_provider_asperion.asperion.contract.ours import DATA, ITEMS, META, Part, calls_of
from airflow_provider_asperion.asperion.contract.security import login_fits
from airflow_provider_asperion.asperion.contract.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_asperion.asperion.contract.description import Description, Operation, Parameter
    from airflow_provider_asperion.asperion.contract.findings import Level
    from airflow_provider_asperion.asperion.contract.ours import Call, Steps
    from airflow_provider_asperion.asperion.contract.shapes import Found, Shape
    from airflow_provider_asperion.asperion.names import Names

UPGRADE = "install a newer version of the provider, or report it to its maintainers"
EVERYWHERE = "all"
_ORDER: dict[Level, int] = {"breaks": 0, "look": 1, "note": 2}
_DATE_FORMS = frozenset({"date", "date-time", "datetime"})


def compare(description: Description, names: Names, calls: Sequence[Call] | None = None) -> Comparison:
    """Compare a description with what we call, send and read under these names.

    :param calls: only these of our calls.
    """
    comparing = _Comparing(description, names, calls_of(names) if calls is None else calls)
    comparing.compare()
    return Comparison(
        source=description.source,
        api=description.api,
        compared=comparing.compared,
        unknown=comparing.unknown,
        findings=tuple(comparing.findings()),
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """A finding about one call, before those of other calls about the same thing join it."""

    level: Level
    rule: str
    title: str
    name: str
    message: str
    remedy: str
    setting: str | None
    call: str


class _Comparing:
    def __init__(self, description: Description, names: Names, calls: Sequence[Call]) -> None:
        self.compared = 0
        self.unknown = 0
        self._description = description
        self._names = names
        self._calls = calls
        self._shapes = Shapes(description)
        self._said: list[_Said] = []
        self._operations: dict[str, Operation | None] = {}

    def compare(self) -> None:
        """Compare each call."""
        self._operations = {call.name: self._operation_of(call) for call in self._calls}
        for call in self._calls:
            operation = self._operations[call.name]
            self.compared += 1
            if operation is None:
                self._missing_call(call)
                continue
            self._parameters(call, operation)
            self._answer(call, operation)
            self._body(call, operation)
            self._login(call, operation)
        self._unused()

    def findings(self) -> list[Finding]:
        """Return the findings, each difference once, the worst first."""
        joined: dict[tuple[str, ...], list[_Said]] = {}
        for said in self._said:
            joined.setdefault((said.level, said.rule, said.title, said.name, said.message), []).append(said)
        found = [
            Finding(
                level=said[0].level,
                rule=said[0].rule,
                title=said[0].title,
                name=said[0].name,
                message=said[0].message,
                remedy=said[0].remedy,
                settings=tuple(dict.fromkeys(f"names.{one.setting}" for one in said if one.setting)),
                calls=tuple(dict.fromkeys(one.call for one in said)),
            )
            for said in joined.values()
        ]
        return sorted(found, key=lambda one: _ORDER[one.level])

    # Calls

    def _operation_of(self, call: Call) -> Operation | None:
        for path in self._paths(call):
            for operation in self._description.operations(path):
                if operation.method == call.method:
                    return operation
        return None

    def _paths(self, call: Call) -> list[str]:
        """Return the paths of the description that are the call's; those with fewer gaps first."""
        prefix = self._description.prefix
        fitting = [
            path
            for path in self._description.paths
            if any(same_path(call.path, candidate) for candidate in (path, prefix + path))
        ]
        return sorted(fitting, key=lambda path: path.count("{"))

    def _missing_call(self, call: Call) -> None:
        paths = self._paths(call)
        if paths:
            offered = sorted({one.method for path in paths for one in self._description.operations(path)})
            setting = "habits.update_verb" if call.whole else None
            remedy = UPGRADE
            if call.whole and {"PUT", "PATCH", "POST"} & set(offered):
                remedy = f"set names.habits.update_verb to one of {', '.join(offered)}"
            self._say(
                "breaks", "contract.method", call, call.name,
                f"{call.name} is not offered; there is {', '.join(offered)}", remedy, setting,
            )  # fmt: skip
            return
        setting = f"paths.{call.title}"
        near = self._near_path(call)
        message = f"{call.path} is not there" + (f"; there is {near}" if near else "")
        remedy = f"set names.{setting}" + (
            f": {without_key(near)}" if near else " to the path that it has now"
        )
        self._say("breaks", "contract.endpoint", call, call.path, message, remedy, setting)

    def _near_path(self, call: Call) -> str | None:
        ours = {other.path.lower() for other in self._calls}
        free = {
            path.rstrip("/").lower(): path
            for path in self._description.paths
            if path.rstrip("/").lower() not in ours and path.count("{") == call.path.count("{")
        }
        close = get_close_matches(call.path.lower(), list(free), 1, 0.75)
        return free[close[0]] if close else None

    # Parameters

    def _parameters(self, call: Call, operation: Operation) -> None:
        described = {one.name.lower(): one for one in operation.parameters if one.place == "query"}
        for part in call.query:
            self.compared += 1
            parameter = described.get(part.name.lower())
            if parameter is None:
                self._missing_parameter(call, part, described.values())
            else:
                self._check_sent(call, part, self._shapes.of(parameter.schema), "parameter")
        sent = {part.name.lower() for part in call.query}
        header = self._names.tenant_header.lower()
        for parameter in operation.parameters:
            name = parameter.name.lower()
            known = {"query": sent, "header": {header, "authorization", "accept-language", "accept"}}
            if name in known.get(parameter.place, {name}):
                continue
            if parameter.required or self._is_tenant(parameter):
                self._strange_parameter(call, parameter)

    def _missing_parameter(self, call: Call, part: Part, described: Iterable[Parameter]) -> None:
        ours = {one.name.lower() for one in call.query}
        free = [one.name for one in described if one.name.lower() not in ours]
        now = near(part.name, free)
        if now is None:
            message = f"parameter {part.name} is gone"
            remedy = f"correct names.{part.setting}"
        else:
            message = f"parameter {part.name} is gone; there is {now}"
            remedy = f"correct names.{part.setting}, so that {now} is sent"
        self._say("breaks", "contract.parameter", call, part.name, message, remedy, part.setting)

    def _is_tenant(self, parameter: Parameter) -> bool:
        """Whether it is the header that names the administration, in another spelling."""
        return parameter.place == "header" and letters(parameter.name) == letters(self._names.tenant_header)

    def _strange_parameter(self, call: Call, parameter: Parameter) -> None:
        setting, remedy = None, UPGRADE
        message = f"{parameter.place} parameter {parameter.name} is required, and we do not send it"
        if self._is_tenant(parameter):
            setting, remedy = "tenant_header", f"set names.tenant_header: {parameter.name}"
            message = (
                f"header {parameter.name} names the administration, and we send {self._names.tenant_header}"
            )
        self._say("breaks", "contract.parameter", call, parameter.name, message, remedy, setting)

    # What is read

    def _answer(self, call: Call, operation: Operation) -> None:
        for part in call.reads:
            self.compared += 1
            steps = self._from_list(part.steps, call, operation)
            found = self._shapes.find(operation.answer, steps, reading=True)
            if found.state == "there":
                self._check_read(call, part, found.shapes)
            elif found.state == "missing" and found.place == len(steps) - 1:
                self._missing_field(call, part, found)
            else:
                # Nothing is said of it, or what it lies in is told of already.
                self.unknown += 1

    def _from_list(self, steps: Steps, call: Call, operation: Operation) -> Steps:
        """Return the way to a field of one thing: at the root, or in a list that holds only it."""
        if any(part.steps == (DATA,) for part in call.reads):
            return steps
        wrapped = self._shapes.find(operation.answer, (DATA, ITEMS), reading=True)
        return (DATA, ITEMS, *steps) if wrapped.state == "there" else steps

    def _check_read(self, call: Call, part: Part, shapes: tuple[Shape, ...]) -> None:
        name = part.name
        for shape in shapes:
            strange = None if shape.kinds is None else shape.kinds - part.kinds
            if strange:
                self._retyped(call, part, f"{name} is {_kinds(strange)}; we read {_kinds(part.kinds)}")
                return
            if _is_date(part) and shape.form is not None and shape.form not in _DATE_FORMS:
                self._retyped(call, part, f"{name} has the format {shape.form}; we read dates")
                return
        self._check_words(call, part, shapes)
        if part.needed and any(shape.nullable for shape in shapes):
            self._say(
                "look", "contract.nullable", call, name, f"{name} may be empty; such an entry is refused",
                "nothing, as long as all entries have one", part.setting,
            )  # fmt: skip

    # What is sent

    def _body(self, call: Call, operation: Operation) -> None:
        if not call.sends:
            return
        for part in call.sends:
            self.compared += 1
            found = self._shapes.find(operation.body, part.steps, reading=False)
            if found.state == "there":
                self._check_sent(call, part, found.shapes, "field")
            elif found.state == "missing" and found.place == len(part.steps) - 1:
                self._missing_field(call, part, found)
            else:
                self.unknown += 1
        self._required(call, operation)

    def _check_sent(self, call: Call, part: Part, shapes: tuple[Shape, ...], what: str) -> None:
        name, sent = part.name, self._sent_kinds(part)
        taken = [shape for shape in shapes if shape.kinds is None or _takes(shape.kinds, sent, what)]
        if not taken:
            kinds = frozenset().union(*(shape.kinds or () for shape in shapes))
            self._retyped(call, part, f"{name} takes {_kinds(kinds)}; we send {_kinds(sent)}")
            return
        wanted = {shape.form for shape in taken if shape.form is not None}
        if part.form is not None and "date" in wanted and "%H" in part.form:
            self._retyped(call, part, f"{name} takes a date; we send date and time", "habits.date_format")
        elif part.form is not None and wanted and not wanted & _DATE_FORMS:
            self._retyped(call, part, f"{name} has the format {', '.join(sorted(wanted))}; we send dates")
        if what == "field" and all(shape.read_only for shape in taken):
            remedy = f"set names.{part.setting}: null to do without" if part.spare else UPGRADE
            message = f"{name} can only be read, and we send it"
            self._say("breaks", "contract.read_only", call, name, message, remedy, part.setting)
        self._check_words(call, part, tuple(taken))

    def _sent_kinds(self, part: Part) -> frozenset[str]:
        """Return the types that are sent: of an id, those that it has in its own list."""
        if part.of_list is None:
            return part.kinds
        listing = next((call for call in self._calls if call.path == part.of_list and call.reads), None)
        operation = self._operations.get(listing.name) if listing is not None else None
        if operation is None:
            return frozenset()
        found = self._shapes.find(operation.answer, (DATA, ITEMS, "id"), reading=True)
        return frozenset().union(*(shape.kinds or () for shape in found.shapes))

    def _required(self, call: Call, operation: Operation) -> None:
        """Look for fields that the body must have: of the whole, and of the entries of its lists."""
        for where in dict.fromkeys(part.steps[:-1] for part in call.sends):
            found = self._shapes.find(operation.body, where, reading=False)
            ours = {part.steps[-1]: part for part in call.sends if part.steps[:-1] == where}
            for shape in found.shapes[:1]:
                for name in sorted(shape.required):
                    if not self._is_read_only(shape, name) and not self._was_read(call, (*where, name)):
                        wanted = Part((*where, name), frozenset())
                        self._required_field(call, wanted.name, ours.get(name))

    def _is_read_only(self, shape: Shape, name: str) -> bool:
        return name in shape.properties and all(
            one.read_only for one in self._shapes.of(shape.properties[name])
        )

    def _was_read(self, call: Call, steps: Steps) -> bool:
        """Whether an update sends a field because it was read with the rest."""
        reading = self._operations.get(f"GET {call.path}") if call.whole else None
        return (
            reading is not None
            and self._shapes.find(reading.answer, self._from_list(steps, call, reading), reading=True).state
            == "there"
        )

    def _required_field(self, call: Call, name: str, part: Part | None) -> None:
        if part is None:
            message = f"{name} is required, and we do not send it"
            self._say("breaks", "contract.required", call, name, message, UPGRADE)
        elif not part.needed:
            self._say(
                "look", "contract.required", call, name,
                f"{name} is required, and we send it only where it is known",
                "give it a default in the mapping or the settings of the flow", part.setting,
            )  # fmt: skip

    # What both have

    def _missing_field(self, call: Call, part: Part, found: Found) -> None:
        """Say that a field is not there; of what lies in it nothing is said."""
        if part.if_there:
            return
        used = {
            other.steps[-1] for other in (*call.reads, *call.sends) if other.steps[:-1] == part.steps[:-1]
        }
        now = near(part.steps[-1], found.siblings - used)
        setting = f"names.{part.setting}"
        if now is None:
            message, rule = f"{part.name} is gone", "contract.field_missing"
            remedy = f"set {setting} to its name now" + (", or to null to do without" if part.spare else "")
        else:
            renamed = replace(part, steps=(*part.steps[:-1], now)).name
            message, rule = f"{part.name} is gone; there is {renamed}", "contract.field_renamed"
            remedy = f"if it is the same, set {setting}: {now}"
        self._say("breaks", rule, call, part.name, message, remedy if part.setting else UPGRADE, part.setting)

    def _retyped(self, call: Call, part: Part, message: str, setting: str | None = None) -> None:
        named = setting or part.setting
        remedy = f"see whether names.{named} is the right one; else {UPGRADE}" if named else UPGRADE
        self._say("breaks", "contract.type", call, part.name, message, remedy, named)

    def _check_words(self, call: Call, part: Part, shapes: tuple[Shape, ...]) -> None:
        known = [shape.words for shape in shapes]
        if not part.words or not known or any(words is None for words in known):
            return
        offered = frozenset().union(*(words or () for words in known))
        lacking = [word for word in part.words if word.lower() not in {one.lower() for one in offered}]
        if lacking:
            self._say(
                "breaks", "contract.value", call, part.name,
                f"{part.name} does not know {', '.join(lacking)}; it knows {', '.join(sorted(offered)[:8])}",
                f"correct the words below names that belong to {part.setting}", part.setting,
            )  # fmt: skip

    def _login(self, call: Call, operation: Operation) -> None:
        self.compared += 1
        trouble = login_fits(self._description, operation)
        if trouble is not None:
            self._say("breaks", "contract.login", call, "security", trouble, UPGRADE)

    def _unused(self) -> None:
        """Note what things have and we do not use."""
        for call in self._calls:
            operation = self._operations[call.name]
            if operation is None or call.method != "GET" or not call.path.endswith("{id}"):
                continue
            listed = self._shapes.find(operation.answer, (), reading=True).shapes
            names = {name for shape in listed for name in shape.properties}
            spare = sorted(names - {part.steps[0] for part in call.reads} - {"_meta"})
            if spare:
                self._say("note", "contract.unused", call, "", f"has also {', '.join(spare)}", "")

    def _say(
        self,
        level: Level,
        rule: str,
        call: Call,
        name: str,
        message: str,
        remedy: str,
        setting: str | None = None,
    ) -> None:
        everywhere = name.split(".")[0] == META or setting == "tenant_header" or rule == "contract.login"
        title = EVERYWHERE if everywhere else call.title
        self._said.append(_Said(level, rule, title, name, message, remedy, setting, call.name))


def _takes(taken: frozenset[str], sent: frozenset[str], what: str) -> bool:
    """Whether all that is sent is taken. A parameter is text: a number's may hold one."""
    if what == "parameter":
        return bool(taken & sent) or not sent
    return sent <= (taken | ({"integer"} if "number" in taken else set()))


def _is_date(part: Part) -> bool:
    return (part.setting or "").rpartition(".")[2] in ("date", "date_added", "date_changed", "delivery_date")


def _kinds(kinds: Iterable[str]) -> str:
    return " or ".join(sorted(kinds)) or "nothing that is known"
