"""What the files of a workspace say about each other, kept up to date file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, cast

from cachekey.builds.invocation import Invocation
from cachekey.workspace.summary import CacheMount, Summary, Topic, Volume

_NOBODY: Mapping[str, list[object]] = {}
_MOST_TAKEN = 32
"""Compose files that take each other in, which are looked at for one of them."""


class Index:
    """Summaries by path and by topic. A change costs the topics of the file that changed."""

    def __init__(self) -> None:
        self._summaries: dict[str, Summary] = {}
        self._said: dict[Topic, dict[str, list[object]]] = {}
        """For each topic what the files say about it, by path."""
        self._counts: Counter[Topic] = Counter()
        self._sorted: dict[Topic, list[str]] = {}
        """The paths of a topic in order, as long as none comes or goes: thousands of files may share
        one key, and each of them asks who is first."""

    def put(self, summary: Summary) -> set[Topic]:
        """Take in a summary, in the place of an earlier one; return the topics that have changed."""
        old = self._summaries.get(summary.path)
        before: Mapping[Topic, list[object]] = old.topics if old is not None else {}
        topics = summary.topics
        self._summaries[summary.path] = summary
        changed = {topic for topic, said in before.items() if topics.get(topic) != said}
        for topic in changed - topics.keys():
            self._forget(topic, summary.path)
        for topic, said in topics.items():
            if topic in changed or topic not in before:
                changed.add(topic)
                self._remember(topic, summary.path, said)
        return changed

    def drop(self, path: str) -> set[Topic]:
        """Forget a file; return the topics that have changed."""
        old = self._summaries.pop(path, None)
        if old is None:
            return set()
        for topic in old.topics:
            self._forget(topic, path)
        return set(old.topics)

    def _remember(self, topic: Topic, path: str, said: list[object]) -> None:
        paths = self._said.setdefault(topic, {})
        if path not in paths:
            self._sorted.pop(topic, None)
        self._counts[topic] += len(said) - len(paths.get(path, ()))
        paths[path] = said

    def _forget(self, topic: Topic, path: str) -> None:
        paths = self._said[topic]
        self._counts[topic] -= len(paths.pop(path))
        self._sorted.pop(topic, None)
        if not paths:
            del self._said[topic], self._counts[topic]

    # -- questions ------------------------------------------------------------------------------

    def __contains__(self, path: str) -> bool:
        return path in self._summaries

    def __iter__(self) -> Iterator[str]:
        return iter(self._summaries)

    def __len__(self) -> int:
        return len(self._summaries)

    def get(self, path: str) -> Summary | None:
        """Return the summary of a file."""
        return self._summaries.get(path)

    def concerned(self, topics: Iterable[Topic]) -> Iterator[str]:
        """Yield the files that say something about one of the topics; a file may come twice."""
        for topic in topics:
            yield from self._paths(topic)
            if topic[0] in ("composes", "taken in"):
                # What a service is depends on the files that its own takes in, and they on it.
                for path in self._taken_together(str(topic[1])):
                    yield from self._paths(("composes", path))

    def sharing(self, identity: Hashable) -> Iterator[CacheMount]:
        """Yield every mount of the workspace that has this key, by path and place."""
        return self._mounts(("key", identity))

    def sharing_in_builds(self, identity: Hashable) -> Iterator[CacheMount]:
        """Yield every mount that has this key in some build, though not by its file alone."""
        return self._mounts(("also", identity))

    def named(self, full: str) -> Iterator[CacheMount]:
        """Yield every mount with this ``id`` (see ``CacheKey.full``), by path and place.

        Whatever else is in its key, an owner or a base, makes no difference.
        """
        return self._mounts(("name", full))

    def count_sharing(self, identity: Hashable) -> int:
        """Return how many mounts of the workspace have this key."""
        return self._count(("key", identity))

    def of_tool(self, tool: str, role: str) -> Iterator[CacheMount]:
        """Yield the mounts that are meant to hold this download cache, by path and place."""
        return self._mounts(("tool", (tool, role)))

    def of_tool_sharing(self, tool: str, role: str, identity: Hashable) -> Iterator[CacheMount]:
        """Yield those of them that have this key."""
        return self._mounts(("tool and key", ((tool, role), identity)))

    def around_tool(self, tool: str, role: str) -> Iterator[CacheMount]:
        """Yield the mounts of a parent of this download cache, by path and place."""
        return self._mounts(("around tool", (tool, role)))

    def is_alone_in(self, folder: str, identity: Hashable) -> bool:
        """Tell whether no mount of another key has a directory whose last name is ``folder``."""
        same = self._count(("folder and key", (folder, identity)))
        return self._count(("folder", folder)) == same

    def volumes(self, name: str) -> Iterator[tuple[str, Volume]]:
        """Yield mounts and declarations of a volume that the engine calls so, with their files."""
        topic = ("volume", name)
        for path in self._ordered(topic):
            for item in self._items(topic, path):
                yield path, cast("Volume", item)

    def builds(self, dockerfile: str) -> Iterator[Invocation]:
        """Yield the builds of a Dockerfile, by path and place."""
        topic = ("built", dockerfile)
        for path in self._ordered(topic):
            for item in self._items(topic, path):
                yield cast("Invocation", item)

    def readers(self, path: str, what: Literal["changed", "came", "gone"]) -> list[str]:
        """Return the files whose builds rest on another file, which has changed, come or gone."""
        topics = {"changed": ("read",), "came": ("missed",), "gone": ("read", "looked for")}
        paths = (other for name in topics[what] for other in self._ordered((name, path)))
        return list(dict.fromkeys(paths))

    def composers(self, path: str) -> Iterator[str]:
        """Yield the dev containers that name a compose file, or one that takes it in."""
        seen: set[str] = set()
        for file in self._taken_together(path, down=False):
            for other in self._ordered(("composes", file)):
                summary = self.get(other)
                if other not in seen and summary is not None and summary.kind == "devcontainer":
                    seen.add(other)
                    yield other

    def _taken_together(self, path: str, down: bool = True) -> list[str]:
        """Return a compose file, those that take it in, and with ``down`` those that it takes in."""
        found = [path]
        for file in found:  # It grows meanwhile.
            if len(found) >= _MOST_TAKEN:
                break
            summary = self.get(file)
            near = [*self.takers(file), *(summary.takes_in if down and summary else ())]
            found += [other for other in near if other not in found]
        return found

    def takers(self, path: str) -> Sequence[str]:
        """Return the compose files that include a file, or extend a service of it."""
        return self._ordered(("taken in", path))

    def _mounts(self, topic: Topic) -> Iterator[CacheMount]:
        for path in self._ordered(topic):
            for item in self._items(topic, path):
                yield cast("CacheMount", item)

    # -- what the questions rest on -------------------------------------------------------------

    def _paths(self, topic: Topic) -> Iterable[str]:
        return self._said.get(topic, _NOBODY)

    def _items(self, topic: Topic, path: str) -> Sequence[object]:
        return self._said.get(topic, _NOBODY).get(path, ())

    def _count(self, topic: Topic) -> int:
        return self._counts[topic]

    def _ordered(self, topic: Topic) -> Sequence[str]:
        found = self._sorted.get(topic)
        if found is None:
            found = sorted(self._said.get(topic, _NOBODY))
            if found:
                self._sorted[topic] = found
        return found


class Overlay(Index):
    """An index in which some files say something else; the one below it stays as it is.

    What a fix would lead to is asked of it, at the cost of the files that the fix changes.
    """

    def __init__(self, below: Index) -> None:
        super().__init__()
        self._below = below

    def put(self, summary: Summary) -> set[Topic]:
        """Take in a summary, in the place of the one below; return the topics that have changed."""
        old = self.get(summary.path)
        before: Mapping[Topic, list[object]] = old.topics if old is not None else {}
        super().put(summary)
        now = summary.topics
        return {topic for topic in before.keys() | now if before.get(topic) != now.get(topic)}

    def __contains__(self, path: str) -> bool:
        return super().__contains__(path) or path in self._below

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        yield from (path for path in self._below if not super(Overlay, self).__contains__(path))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, path: str) -> Summary | None:
        """Return the summary of a file."""
        return super().get(path) or self._below.get(path)

    def _paths(self, topic: Topic) -> Iterable[str]:
        yield from super()._paths(topic)
        yield from (
            path
            for path in self._below._paths(topic)
            if not super(Overlay, self).__contains__(path)
        )

    def _items(self, topic: Topic, path: str) -> Sequence[object]:
        own = super().__contains__(path)
        return super()._items(topic, path) if own else self._below._items(topic, path)

    def _count(self, topic: Topic) -> int:
        hidden = sum(len(self._below._items(topic, path)) for path in self._summaries)
        return super()._count(topic) + self._below._count(topic) - hidden

    def _ordered(self, topic: Topic) -> Sequence[str]:
        return sorted(self._paths(topic))
