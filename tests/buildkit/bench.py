"""Runs cases on a builder, many in one build where they do not touch each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from . import cases as of
from .builders import Builder, Built, Request, UnavailableError, builder
from .cases import Case, Step

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What a builder did with a case."""

    ok: bool
    results: dict[str, str]
    errors: tuple[str, ...]
    logs: tuple[str, ...]


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in slices."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def request(on: Builder, case: Case, step: Step) -> Request:
    """One step as a build of its own."""
    context = on.context
    if step.other_context:
        context = on.folder / "other"
        if not context.exists():
            context.mkdir()
            (context / "busybox").write_bytes((on.context / "busybox").read_bytes())
            (context / "busybox").chmod(0o755)
            (context / "more").write_text("another context", encoding="utf-8")
    return Request(
        step.dockerfile,
        build_args=step.build_args,
        platform=step.platform,
        no_cache=step.no_cache,
        layers=case.group == "layercache",
        jobs=2 if step.concurrent else 1,
        context=context,
    )


def alone(on: Builder, case: Case) -> Outcome:
    """One case by itself, its builds in order; those in the background are joined where it says."""
    results: dict[str, str] = {}
    errors: list[str] = []
    logs: list[str] = []
    behind: list[Future[Built]] = []

    def done(step: Step, built: Built) -> None:
        logs.append(built.log)
        labels = built.labels
        if step.expect_cached:
            labels["second"] = "ran" if labels.pop(step.expect_cached, None) else "cached"
        results.update(labels)
        if not built.ok:
            errors.append(built.error)

    with ThreadPoolExecutor(4) as pool:
        for step in case.steps:
            if step.join:
                for future in behind:
                    done(case.steps[0], future.result())
                behind.clear()
            time.sleep(step.delay)
            future = pool.submit(on.build, request(on, case, step))
            if step.background or step.delay:
                behind.append(future)
            else:
                done(step, future.result())
        for future in behind:
            done(case.steps[0], future.result())
    return Outcome(not errors, results, tuple(errors), tuple(logs))


def again(on: Builder, case: Case) -> Outcome:
    """The case by itself where it may have been run before: under a new prefix."""
    prefix = case.prefix
    done = alone(on, of.renamed(case))
    results = {k: v.replace(f"{prefix}again", prefix) for k, v in done.results.items()}
    errors = tuple(error.replace(f"{prefix}again", prefix) for error in done.errors)
    return Outcome(done.ok, results, errors, done.logs)


def many(
    on: Builder,
    group: Sequence[Case],
    make: Callable[[Sequence[Case]], str],
    done: Callable[[str], None],
) -> dict[str, Outcome]:
    """Cases that are expected to build, in one build; each alone when that one fails.

    ``done`` is told the file that has built.
    """
    text = make(group)
    built = on.build(Request(text))
    if not built.ok:
        return {case.name: again(on, case) for case in group}
    done(text)
    labels = built.labels
    found = {}
    for case in group:
        mine = of.mine(case, labels)
        as_known = case.expect[on.name].results.items() <= mine.items()
        # Being built among others is never to blame: a surprise is looked at by itself.
        found[case.name] = Outcome(True, mine, (), (built.log,)) if as_known else again(on, case)
    return found


class Bench:
    """Runs every case once on one builder, when first asked."""

    def __init__(self, name: str, cases: Sequence[Case]) -> None:
        self.name = name
        self.cases = [case for case in cases if name in case.expect]
        self.lock = threading.Lock()
        self.outcomes: dict[str, Outcome] = {}
        self.ran = False
        self.reason = ""
        self.version = ""
        self.seconds = 0.0
        self.pairs: list[str] = []
        """Files that have built, each of many cases that are no more than two mounts."""
        self.stages: list[str] = []
        """Files that have built, each of the stages of many cases."""

    def outcome(self, case: Case) -> Outcome:
        """The outcome of one case. Raises UnavailableError."""
        self.run()
        if self.reason:
            raise UnavailableError(self.reason)
        return self.outcomes[case.name]

    def run(self) -> None:
        """Runs all cases unless that was done."""
        with self.lock:
            if self.ran:
                return
            self.ran = True
            began = time.monotonic()
            try:
                on = builder(self.name)
            except UnavailableError as error:
                self.reason = str(error)
                return
            self.version = on.version
            self._run(on)
            self.seconds = time.monotonic() - began

    def _run(self, on: Builder) -> None:
        fine = [case for case in self.cases if case.expect[self.name].ok]
        timed = [case for case in self.cases if case.timed]
        paired = [case for case in fine if case.pair]
        staged = [case for case in fine if of.batchable(case) and not case.pair]
        taken = {case.name for case in timed + paired + staged}
        single = [case for case in self.cases if case.name not in taken]
        # Buildah spends much of its time asleep, and has no daemon that would work in parallel.
        several = 4 if self.name == "buildah" else 2
        with ThreadPoolExecutor(several) as pool, ThreadPoolExecutor(max(1, len(timed))) as late:
            jobs = [
                pool.submit(many, on, part, of.in_pairs, self.pairs.append)
                for part in chunks(paired, 12)
            ]
            jobs += [
                pool.submit(many, on, part, of.together, self.stages.append)
                for part in chunks(staged, 16)
            ]
            jobs += [pool.submit(self._alone, on, case) for case in single]
            for job in jobs:
                self.outcomes.update(job.result())
            # These hold volumes for seconds while another build comes along: on an idle machine.
            for job in [late.submit(self._alone, on, case) for case in timed]:
                self.outcomes.update(job.result())
        for case in timed + single:
            if not self._as_known(case):
                # A busy machine delays a build, and Buildah loses a line at times: once more, with
                # nothing beside it.
                self.outcomes[case.name] = again(on, case)

    def _as_known(self, case: Case) -> bool:
        known, done = case.expect[self.name], self.outcomes[case.name]
        return done.ok == known.ok and known.results.items() <= done.results.items()

    @staticmethod
    def _alone(on: Builder, case: Case) -> dict[str, Outcome]:
        return {case.name: alone(on, case)}
