"""Edits of a devcontainer.json: fields of a mount, variables, mounts, commands that run once.

The user's form (string or object), comments, order, indentation and commas are kept. Rules and
recipes put their fixes together from these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher

from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer, EnvEntry, Lifecycle, read_devcontainer
from cachekey.devcontainer.substitution import LIFECYCLE, variables
from cachekey.syntax.jsonc import edit as jsonc_edit
from cachekey.syntax.jsonc.dockermount import BUILD_ONLY, MountField, volume_name
from cachekey.syntax.jsonc.parse import escape, quote
from cachekey.syntax.jsonc.tree import Element, Member, Node
from cachekey.text import Edit, Source, Span, apply_edits

_MOST_LINES = 1000
"""Of a file whose lines are compared one by one, which may take the square of their number."""

Step = Callable[[Devcontainer], Iterable[Edit]]


def together(document: Devcontainer, edits: Iterable[Edit], *steps: Step) -> tuple[Edit, ...]:
    """Combine edits with further steps, each of which sees the file as the ones before left it.

    Two members that go to one place need that: the comma between them belongs to neither alone.
    """
    before = document.source.text
    after = apply_edits(before, list(edits))
    for step in steps:
        current = read_devcontainer(document.path, Source(after))
        after = apply_edits(after, list(step(current)))
    return _difference(before, after)


def _difference(before: str, after: str) -> tuple[Edit, ...]:
    """Return edits that turn one text into the other, line by line."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old) > _MOST_LINES:
        return (_trimmed(0, before, after),)
    edits, at = [], 0
    for tag, start, end, first, last in SequenceMatcher(None, old, new, False).get_opcodes():
        text, other = "".join(old[start:end]), "".join(new[first:last])
        if tag != "equal":
            edits.append(_trimmed(at, text, other))
        at += len(text)
    return tuple(edits)


def _trimmed(at: int, old: str, new: str) -> Edit:
    """Leave what is the same at both ends out of a replacement."""
    left = _alike(old, new)
    right = _alike(old[left:][::-1], new[left:][::-1])
    span = Span(at + left, at + len(old) - right)
    return Edit(span, new[left : len(new) - right])


def _alike(one: str, two: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def name_for(mount: RuntimeMount, suggestion: str = "") -> str:
    """Return a valid volume name for a mount: its own id or source, a suggestion, or its path.

    What lies in the workspace is one project's, and so is its volume.
    """
    for value in (mount.value("source"), mount.value("id")):
        if value is not None and value.text:
            return value.text if variables(value) else volume_name(value.text)
    place = mount.place or "cache"
    below = place.removeprefix("${containerWorkspaceFolder}/")
    own = f"{volume_name(below)}-${{devcontainerId}}" if below != place else volume_name(place)
    return suggestion or own


def convert(
    document: Devcontainer, mount: RuntimeMount, kind: str, source: str, drop: Iterable[str] = ()
) -> tuple[Edit, ...]:
    """Turn a mount into another type with this source; fields of builds go, and those in ``drop``.

    An ``id`` becomes the ``source``.
    """
    doomed = {*BUILD_ONLY, *drop}
    type_field, name_field = mount.field("type"), mount.field("source") or mount.field("id")
    gone = [f for f in mount.fields if f.name in doomed and f is not name_field]
    if mount.form == "object":
        return _convert_object(document, mount, kind, source, gone)
    edits: list[Edit] = []
    named = f"source={escape(source)}"
    behind = ""
    if name_field is None:
        behind = f",{named}"
    elif name_field.name == "id" or name_field.value is None or name_field.value.text != source:
        edits.append(Edit(name_field.span, named))
    if type_field is None:
        edits.append(Edit(Span(mount.span.start, mount.span.start), f"type={kind}{behind},"))
    else:
        end = type_field.value_span.end
        quoted = end < mount.span.end and document.source.text[end] != ","
        edits.append(Edit(type_field.value_span, kind if quoted else f"{kind}{behind}"))
        if quoted and behind:
            # The field stands in quotes of its own, which hold nothing else.
            edits.append(Edit(Span(mount.span.end, mount.span.end), behind))
    return (*edits, *remove_fields(document, mount, gone))


def _convert_object(
    document: Devcontainer, mount: RuntimeMount, kind: str, source: str, gone: list[MountField]
) -> tuple[Edit, ...]:
    edits: list[Edit] = []
    type_field, name_field = mount.field("type"), mount.field("source") or mount.field("id")
    if type_field is not None:
        edits.append(Edit(type_field.value_span, kind))
    if name_field is None and gone:
        # A key that has to go makes room for the name, so that nothing is inserted beside a gap.
        name_field = gone.pop(0)
    if name_field is None:
        edits += insert_field(document, mount, "source", source, behind="type")
    elif name_field.key.text != "source" or name_field.value is None:
        edits.append(Edit(name_field.span, f'"source": {quote(source)}'))
    elif name_field.value.text != source:
        edits.append(Edit(name_field.value_span, escape(source)))
    return (*edits, *remove_fields(document, mount, gone))


def insert_field(
    document: Devcontainer, mount: RuntimeMount, name: str, value: str, behind: str = ""
) -> tuple[Edit, ...]:
    """Add a field behind another one; in front of all when that is not there."""
    after = mount.field(behind) if behind else None
    if mount.form == "object":
        members = mount.node.members
        position = next((i for i, m in enumerate(members) if after and m.key is after.key), -1)
        text = f"{quote(name)}: {quote(value)}"
        return jsonc_edit.insert(document.source, document.root, mount.node, text, position)
    text = f"{name}={escape(value)}"
    if after is None:
        return (Edit(Span(mount.span.start, mount.span.start), f"{text},"),)
    return (Edit(Span(after.span.end, after.span.end), f",{text}"),)


def remove_fields(
    document: Devcontainer, mount: RuntimeMount, gone: Sequence[MountField]
) -> tuple[Edit, ...]:
    """Remove fields with the comma that belongs to each."""
    if not gone:
        return ()
    if mount.form == "object":
        keys = [field.key for field in gone]
        doomed = [m for m in mount.node.members if any(m.key is key for key in keys)]
        return jsonc_edit.remove(document.source, mount.node, doomed)
    edits: list[Edit] = []
    at = 0
    while at < len(mount.fields):
        stop = at
        while stop < len(mount.fields) and any(mount.fields[stop] is field for field in gone):
            stop += 1
        if stop > at:
            # A comma goes along: the one in front, or at the beginning the one behind.
            last = mount.fields[stop - 1].span.end
            if at:
                edits.append(Edit(Span(mount.fields[at - 1].span.end, last), ""))
            else:
                end = mount.fields[stop].span.start if stop < len(mount.fields) else last
                edits.append(Edit(Span(mount.fields[0].span.start, end), ""))
        at = stop + 1
    return tuple(edits)


def csv_field(text: str) -> str:
    """Write one field of a mount string; a comma or a quote in it needs quotes around it."""
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text


def as_string(mount: RuntimeMount, extra: Iterable[str] = ()) -> Edit:
    """Rewrite the object form as a string, the only one that takes further options."""
    names = ("type", "source", "target")
    parts = [csv_field(f"{n}={v.text}") for n in names if (v := mount.value(n)) is not None]
    return Edit(mount.node.span, quote(",".join((*parts, *extra))))


def remove_arguments(
    document: Devcontainer, node: Node, owner: Member, gone: Sequence[Span]
) -> tuple[Edit, ...]:
    """Remove elements from a list of command line arguments, a member ``owner`` of ``node``.

    ``gone`` holds places in their values, or flags: an element that is nothing but a flag goes together
    with the value behind it, and a value with the flag in front. With the last one the member goes.
    """
    elements = owner.value.elements if owner.value is not None else ()
    hit = {i for i, e in enumerate(elements) if any(_within(span, e.span) for span in gone)}
    doomed = set(hit)
    for index in hit:
        if _bare_flag(elements[index]) and index + 1 < len(elements):
            behind = elements[index + 1].value.text
            doomed |= (
                {index + 1} if behind is not None and not behind.text.startswith("-") else set()
            )
        elif index and not _is_flag(elements[index]) and _bare_flag(elements[index - 1]):
            doomed.add(index - 1)
    if len(doomed) == len(elements):
        return jsonc_edit.remove(document.source, node, [owner])
    assert owner.value is not None
    return jsonc_edit.remove(document.source, owner.value, [elements[i] for i in sorted(doomed)])


def _within(span: Span, other: Span) -> bool:
    return other.start <= span.start and span.end <= other.end


def _is_flag(element: Element) -> bool:
    text = element.value.text
    return text is not None and text.text.startswith("-")


def _bare_flag(element: Element) -> bool:
    """Tell whether an element is a flag whose value is the next one."""
    text = element.value.text
    return text is not None and bool(re.fullmatch(r"--[a-z-]+|-[a-z]", text.text))


def set_variable(document: Devcontainer, name: str, value: str) -> tuple[Edit, ...]:
    """Give ``containerEnv`` a variable; the object is made in front of ``mounts`` if need be."""
    source, root = document.source, document.root
    node = document.get("containerEnv")
    if node is not None and node.kind == "object":
        return jsonc_edit.set_member(source, root, node, name, value)
    position = next((i for i, m in enumerate(root.members) if m.key.text == "mounts"), None)
    after = None if position is None else position - 1
    return jsonc_edit.set_member(source, root, root, "containerEnv", {name: value}, after)


def add_mount(document: Devcontainer, text: str) -> tuple[Edit, ...]:
    """Add a mount string to ``mounts``, which is made at the end of the file if need be."""
    source, root = document.source, document.root
    node = document.get("mounts")
    if node is not None and node.kind == "array":
        return jsonc_edit.insert(source, root, node, quote(text))
    if node is not None and node.text is not None:
        indent = jsonc_edit.indentation(source, node.span.start)
        both = jsonc_edit.render(source, root, [node.text.text, text], indent)
        return (jsonc_edit.replace(node, both),)
    return jsonc_edit.set_member(source, root, root, "mounts", [text])


def move_variable(document: Devcontainer, entry: EnvEntry, place: str) -> tuple[Edit, ...]:
    """Move a variable to ``containerEnv`` or ``remoteEnv``; an object that empties is renamed."""
    source, root = document.source, document.root
    owner = root.member(entry.place)
    if owner is None or owner.value is None or entry.member is None or entry.value is None:
        return ()
    other = document.get(place)
    if other is None and len(owner.value.members) == 1:
        return (Edit(owner.key_span, quote(place)),)
    value = entry.value.text
    if len(owner.value.members) == 1:
        gone = jsonc_edit.remove(source, root, [owner])
    else:
        gone = jsonc_edit.remove(source, owner.value, [entry.member])
    if other is not None and other.kind == "object":
        return (*gone, *jsonc_edit.set_member(source, root, other, entry.name, value))
    position = _index(document, owner)
    made = jsonc_edit.set_member(source, root, root, place, {entry.name: value}, position - 1)
    return (*gone, *made)


def _index(document: Devcontainer, member: Member) -> int:
    return next(i for i, item in enumerate(document.root.members) if item is member)


def run_first(document: Devcontainer, command: str, label: str) -> tuple[Edit, ...]:
    """Let the container run a shell command before any other lifecycle command of the file.

    The form that the user chose is kept; see :func:`comes_first`.
    """
    first = document.lifecycle[0] if document.lifecycle else None
    if first is None:
        return _new_command(document, "postCreateCommand", command)
    if first.form == "string":
        return (_prepend_string(first, command),)
    if first.form == "array":
        return _prepend_array(document, first, command)
    earlier = LIFECYCLE.index(first.name)
    if earlier:
        return _new_command(document, LIFECYCLE[earlier - 1], command)
    node = first.member.value
    if node is None:
        return ()
    return jsonc_edit.set_member(document.source, document.root, node, label, command)


def comes_first(document: Devcontainer) -> bool:
    """Tell whether what :func:`run_first` adds is certain to run before all others.

    The entries of an object run side by side, and nothing comes before the first command's.
    """
    first = document.lifecycle[0] if document.lifecycle else None
    return first is None or first.form in ("string", "array") or first.name != LIFECYCLE[0]


def _prepend_string(first: Lifecycle, command: str) -> Edit:
    text = first.scripts[0]
    at = text.offset(0)
    if not text.text.strip():
        return Edit(Span(at, text.end), escape(command))
    return Edit(Span(at, at), escape(f"{command} && "))


def _prepend_array(document: Devcontainer, first: Lifecycle, command: str) -> tuple[Edit, ...]:
    """Wrap a command that runs without a shell into one that runs ours and then the words."""
    node = first.member.value
    if node is None or not node.elements:
        value = jsonc_edit.render(document.source, document.root, ["sh", "-c", command], "")
        return (jsonc_edit.replace(node, value),) if node else ()
    words = [element.value.text.text if element.value.text else "" for element in node.elements]
    if words[:2] in (["sh", "-c"], ["bash", "-c"], ["/bin/sh", "-c"]) and len(words) > 2:
        script = node.elements[2].value.span.start + 1
        return (Edit(Span(script, script), escape(f"{command} && ")),)
    shell = ", ".join(quote(word) for word in ("sh", "-c", f'{command} && exec "$@"', "sh"))
    at = node.elements[0].span.start
    return (Edit(Span(at, at), f"{shell}, "),)


def _new_command(document: Devcontainer, name: str, command: str) -> tuple[Edit, ...]:
    return jsonc_edit.set_member(document.source, document.root, document.root, name, command)


def run_on_host_first(document: Devcontainer, command: str) -> tuple[Edit, ...]:
    """Let ``initializeCommand`` run a shell command on the host, in front of what it runs."""
    present = document.initialize
    if present is None:
        return _new_command(document, "initializeCommand", command)
    if present.form == "string":
        return (_prepend_string(present, command),)
    if present.form == "array":
        return _prepend_array(document, present, command)
    node = present.member.value
    if node is None:
        return ()
    return jsonc_edit.set_member(document.source, document.root, node, "cache", command)
