"""GitHub workflows: what their jobs build, on which builder, and what carries caches over runs.

Source: the ``action.yml`` of docker/build-push-action, docker/bake-action and redhat-actions/buildah-build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cachekey.builds.dance import read_dance
from cachekey.builds.errands import Follower
from cachekey.builds.inputs import (
    DEFAULT_CONTEXT,
    Places,
    in_tree,
    listed,
    pairs,
    placed,
    tree_input,
)
from cachekey.builds.invocation import BuildFile, Dance, Invocation, Said, unique
from cachekey.builds.matrix import keys_in
from cachekey.builds.places import Looker, Place
from cachekey.builds.runner import builder_of, builds_with, native_of, runner_of
from cachekey.builds.starts import Caller, baked, builds_of
from cachekey.builds.steps import Job, Step, StepReader, fill, lines_of
from cachekey.builds.tree import checkouts, makes_anew, without_expressions
from cachekey.devcontainer.paths import within
from cachekey.record import replace
from cachekey.syntax.yaml import parse
from cachekey.text import Source, where_of

_OWN_GIT = re.compile(
    r"\$\{\{\s*github\.server_url\s*\}\}/\$\{\{\s*github\.repository\s*\}\}(?:\.git)?(?:#[^:]*)?\Z"
)
_ANYTHING = frozenset(("args", "platforms", "target", "file"))
_SHELLS = ("", "bash", "sh")
_DECIDING = ("context", "file", "target", "platforms")
"""Inputs of docker/build-push-action that say what is built."""


def read_workflow(path: str, source: Source, looker: Looker) -> BuildFile:
    """Read a workflow; whatever it holds, this never fails."""
    documents = parse(source)
    builds: list[Invocation] = []
    dances: list[Dance] = []
    if documents and documents[0].kind == "mapping":
        follower = Follower(looker)
        for job in StepReader(source, looker).jobs(documents[0]):
            found = _builds(job, path, source, looker, follower)
            builds += _apart(found) if job.apart else found
            dances += [
                dance
                for step in job.steps
                if (dance := read_dance(path, source, job, step)) is not None
            ]
    return BuildFile(
        path,
        source,
        unique(_together(builds)),
        tuple(dict.fromkeys(dances)),
        looker.asked,
        looker.looked_for,
    )


def _apart(builds: Iterator[Invocation]) -> Iterator[Invocation]:
    """Yield a build for each platform, where each has a job of its own."""
    for build in builds:
        alone = [
            replace(build, platforms=(one,), name=f"{build.name} ({one.text})")
            for one in build.platforms
            if one.text
        ]
        yield from alone if len(alone) == len(build.platforms) > 1 else (build,)


def _together(builds: Sequence[Invocation]) -> Iterator[Invocation]:
    """Yield each build once: jobs of one matrix may differ in nothing but where they run."""
    found: dict[Invocation, dict[str, None]] = {}
    for build in builds:
        found.setdefault(replace(build, runs_on=""), {})[build.runs_on] = None
    for build, places in found.items():
        yield replace(build, runs_on=", ".join(places))


def _builds(
    job: Job, path: str, source: Source, looker: Looker, follower: Follower
) -> Iterator[Invocation]:
    places = checkouts(job)
    for step in job.steps:
        what = builds_with(step)
        if not what and step.run is None:
            continue
        caller = _caller(job, step, path, source, _shown(step, what))
        made: Iterable[Invocation] = ()
        if what == "build-push":
            made = (_push(step, caller, places),)
        elif what == "buildah":
            made = _buildah(step, caller, looker, places)
        elif what == "bake":
            made = _bake(job, step, caller, looker, places)
        elif step.run is not None and step.shell in _SHELLS:
            made = _run(job, step, caller, looker, places, follower)
        for build in made:
            ours = build.dockerfile is None or not makes_anew(job, step, build.dockerfile)
            yield build if ours else replace(build, dockerfile=None)


def _shown(step: Step, what: str) -> str:
    """Return the values of the matrix by which people tell the builds of a step apart."""
    texts = [step.raw[name].text for name in _DECIDING if name in step.raw] if what else []
    if step.run is not None:
        where = step.node.string("working-directory") if step.node is not None else None
        texts = [step.run.text, *([where.text] if where is not None else [])]
    said = (step.scope.get(f"matrix.{key}") for key in keys_in(texts))
    values = [one.text for one in said if one is not None and one.text]
    return f" ({', '.join(values)})" if values and step.name and what != "bake" else ""


def _caller(job: Job, step: Step, path: str, source: Source, shown: str) -> Caller:
    runner, runs_on = runner_of(job, step)
    return Caller(
        path=path,
        source=source,
        kind="workflow",
        name=f"{job.name}/{step.name or step.uses or f'step {step.index + 1}'}{shown}",
        bases=("",),
        runner=runner,
        runs_on=runs_on,
        native=native_of(job) if runner == "fresh" else "",
        job=job.name,
        step=step.index,
        builder=builder_of(job, step),
        env={key[4:]: said for key, said in step.scope.items() if key.startswith("env.")},
    )


def _push(step: Step, caller: Caller, places: Places) -> Invocation:
    """Read docker/build-push-action."""
    context, file = tree_input(step, "context"), tree_input(step, "file")
    if file is not None and file.text == "":
        file = None
    opened = {"file"} if any(s is not None and s.open for s in (context, file)) else set()
    args, loose = pairs(step, "build-args")
    contexts, _ = pairs(step, "build-contexts")
    opened |= {"args"} if loose else set()
    found = placed(context, file, places)
    target = step.inputs.get("target")
    return replace(
        caller.build(step.span),
        folder=found.folder,
        dockerfile=found.dockerfile,
        file=file,
        args=args,
        contexts=contexts,
        target=target if target is not None and target.text != "" else None,
        platforms=listed(step, "platforms"),
        cache_from=listed(step, "cache-from", ""),
        cache_to=listed(step, "cache-to", ""),
        open=frozenset(opened),
    )


def _buildah(step: Step, caller: Caller, looker: Looker, places: Places) -> Iterator[Invocation]:
    """Read redhat-actions/buildah-build; without a Containerfile it builds from none.

    A Containerfile is looked for below the workspace, then below the context (``src/index.ts`` of 2026-08).
    """
    files = listed(step, "containerfiles", "") or listed(step, "dockerfiles", "")
    if not files:
        return
    context = tree_input(step, "context") or Said(".", step.span.fixed)
    found = placed(context, files[0], places) if len(files) == 1 else Place(None, None)
    if found.folder and found.dockerfile and not looker.is_there(found.dockerfile):
        inside = within(found.folder, files[0].text)
        found = Place(found.folder, inside) if inside and looker.is_there(inside) else found
    args, loose = pairs(step, "build-args")
    platforms = [*listed(step, "platforms"), *listed(step, "platform")]
    for said in (*listed(step, "archs"), *listed(step, "arch")):
        text = f"linux/{said.text}" if said.text else None
        platforms.append(Said(text, said.span, said.open))
    more = listed(step, "extra-args", "")
    yield replace(
        caller.build(step.span),
        folder=found.folder,
        dockerfile=found.dockerfile,
        file=files[0],
        args=args,
        platforms=tuple(platforms),
        # It goes by folders of its own, on the runner.
        builder=None,
        open=_ANYTHING if more else frozenset(("args",) if loose else ()),
    )


def _bake(
    job: Job, step: Step, caller: Caller, looker: Looker, places: Places
) -> Iterator[Invocation]:
    """Read docker/bake-action, which builds from the repository itself unless ``source`` says else."""
    said = step.inputs.get("source") or step.inputs.get("workdir")
    raw = step.raw.get("source")
    text = "{{defaultContext}}" if said is None else said.text
    if text is None and raw is not None and _OWN_GIT.match(raw.text):
        text = "{{defaultContext}}"
    if text is not None and "://" in text:
        # Another repository.
        return
    match = DEFAULT_CONTEXT.match(text or ".")
    inside = (match.group(1) or ".") if match is not None else in_tree(places, text or ".")
    folder = within("", inside) if text is not None else None
    if folder is None:
        yield replace(caller.build(step.span), open=_ANYTHING)
        return
    files = [_file(said, folder) for said in listed(step, "files")]
    names = listed(step, "targets")
    sets, loose = _sets(step)
    loose = loose or any(said.text is None for said in names)
    own = replace(caller, bases=(folder,))
    kept = [path for path in files if path is not _GIVEN]
    chosen = [said.text for said in names if said.text]
    if names and not chosen:
        # Which of them is a matter of the matrix: each could be.
        yield replace(caller.build(step.span), open=_ANYTHING)
        return
    yield from baked(own, step.span, kept, chosen, sets, looker, loose)


_DECIDES = frozenset(
    ("args", "platform", "platforms", "target", "dockerfile", "context", "contexts", "inherits")
)
"""What of a target decides keys; a value that nobody knows of anything else (its tags) does not."""


def _sets(step: Step) -> tuple[list[Said], bool]:
    """Return the known lines of ``set``, and whether others may decide a key."""
    found: list[Said] = []
    loose = False
    raw = step.raw.get("set")
    for line in lines_of(raw) if raw is not None else ():
        said = fill(line.text, line.span() if step.here else step.span, step.scope)
        if said.text is not None:
            found.append(said)
            continue
        name = line.text.partition("=")[0]
        loose = loose or "${{" in name or not _DECIDES.isdisjoint(name.split("."))
    return found, loose


_GIVEN = "\0"
"""A file that another action makes, such as docker/metadata-action: it holds tags and labels."""


def _file(said: Said, folder: str) -> str | None:
    if said.text is None or said.text.startswith("cwd://"):
        return _GIVEN
    return within(folder, said.text)


def _run(
    job: Job, step: Step, caller: Caller, looker: Looker, places: Places, follower: Follower
) -> Iterator[Invocation]:
    assert step.run is not None
    folder = in_tree(places, step.folder or ("." if step.folder is not None else None))
    base = within("", folder) if folder is not None else None
    values = caller.env or {}

    def lookup(name: str) -> str | None:
        said = values.get(name)
        return said.text if said is not None and not said.open else None

    own = replace(caller, bases=() if base is None else (base,))
    script = without_expressions(step.run, step)
    # Jobs of one matrix have many scripts in common, words, folder, variables and all.
    told = (step.run.span(), step.here, script.text, base, frozenset(values.items()))
    calls = follower.known.get(told)
    if calls is None:
        calls = follower.known[told] = tuple(follower.calls(script, lookup, base=base))
    for item, recipe, span in calls:
        plain = not item.buildx
        runner, runs_on = runner_of(job, step, plain=plain)
        builder = item.line.builder
        named = builder.text if builder is not None else builder_of(job, step, plain=plain)
        if item.program in ("podman", "buildah"):
            # No builder of BuildKit's: a dance carries nothing for it.
            named = None
        native = native_of(job) if runner == "fresh" else ""
        sure = replace(own, runner=runner, runs_on=runs_on, builder=named, native=native)
        place = span if step.here else step.span
        if recipe is None:
            for made in builds_of(item, sure, looker):
                where = where_of(caller.source, place)
                yield made if step.here else replace(made, span=place.fixed, where=where)
            continue
        for made in builds_of(item, replace(sure, **recipe.place), looker):
            # It is started here, whatever stands where.
            adopted = sure.adopt(made, place)
            yield replace(adopted, runner=made.runner, runs_on=made.runs_on)
