"""All documents of a workspace together: who shares which key, which files belong to each other.

Summaries of all files, models of those that are looked at. A change costs the document that
changed and the topics it speaks of, never the workspace.
"""

from __future__ import annotations

import posixpath
import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import cast

from cachekey.buildkit.keys import Key
from cachekey.builds.invocation import Invocation
from cachekey.builds.read import read_build_file
from cachekey.devcontainer.compose import ComposeFile, read_compose
from cachekey.devcontainer.read import Devcontainer, read_devcontainer
from cachekey.dockerfile.records import Dockerfile
from cachekey.dockerfile.scoping import BuildOptions
from cachekey.dockerfile.stages import read_dockerfile
from cachekey.finding import Wish
from cachekey.kinds import Kind, kind_in, may_be_compose
from cachekey.knowledge import Knowledge
from cachekey.text import Source
from cachekey.workspace.index import Index, Overlay
from cachekey.workspace.keyed import Built, agreed, built
from cachekey.workspace.settings import Settings
from cachekey.workspace.summary import (
    CacheMount,
    Document,
    Summary,
    Topic,
    build_file,
    summarise,
)

_NOT_IN_IDS = re.compile(r"[^a-z0-9._-]+")
_BORROWED = 16
"""Models of closed files that are kept for a while: a fix over several files asks for each twice."""


@lru_cache(maxsize=1)
def _built_in() -> Knowledge:
    return Knowledge()


class Project:
    """The documents that are checked together.

    ``read`` gives the text of another file of the workspace (a tool's configuration, a Dockerfile
    that a devcontainer.json names) or None; it is the only way out of the model, and the face that
    makes the project decides what it may reach. Paths are ``/``-separated.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        read: Callable[[str], str | None] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.name = "project"
        """What an id is called that must name the project; see :meth:`call`."""
        self.read: Callable[[str], str | None] = read or (lambda path: None)
        self.sees_files = read is not None
        """Without it nothing can be said of a file that is not there."""
        own = self.settings.tools or self.settings.images
        self.knowledge = (
            Knowledge(self.settings.tools, self.settings.images) if own else _built_in()
        )
        self.index = Index()
        """What is known of every file of the workspace."""
        self.whole = True
        """The index knows all files that count; ids on offer are known to be free."""
        self.changed: set[Topic] = set()
        """What is new to other files since somebody has emptied this set."""
        self._documents: dict[str, Document] = {}
        self._built: dict[str, BuildOptions] = {}
        """With what the kept Dockerfiles were read."""
        self._borrowed: OrderedDict[str, Document] = OrderedDict()
        self._waking = False
        """Files are read anew since another has changed: they wake nobody in turn."""

    def call(self, root: str) -> None:
        """Name the project after its root folder, as far as that makes an id."""
        name = _NOT_IN_IDS.sub("-", posixpath.basename(root.rstrip("/")).lower()).strip("-.")
        self.name = name or self.name

    # -- documents ------------------------------------------------------------------------------

    @property
    def documents(self) -> Mapping[str, Document]:
        """Return the documents whose models are kept, by path."""
        return self._documents

    def add(self, path: str, text: str, kind: Kind | None = None) -> Document | None:
        """Read a document, or read it anew, and keep its model; None when it is none of ours."""
        document = self._read(path, Source(text), kind)
        if document is None:
            return None
        self._documents[path] = document
        self._take_in(self._summarise(document), text)
        return document

    def recall(self, path: str, text: str) -> Document | None:
        """Keep the model of a file that starts builds, made from its summary: nothing is read again.

        None for other files, and where the index knows the file by another text.
        """
        summary = self.index.get(path)
        document = build_file(summary, text) if summary is not None else None
        if document is not None:
            self._documents[path] = document
        return document

    def survey(self, path: str, text: str, kind: Kind | None = None) -> None:
        """Take in what others need to know of a file, and keep no model of it."""
        document = self._read(path, Source(text), kind)
        if document is not None:
            self._documents.pop(path, None)
            self._take_in(self._summarise(document), text)

    def beside(self, texts: Mapping[str, str]) -> Project:
        """Return a project in which some files have other texts, to try something out.

        It keeps models of its own and leaves those of this project alone.
        """

        def read(path: str) -> str | None:
            if path in texts:
                return texts[path]
            kept = self._documents.get(path)
            return kept.source.text if kept is not None else self.read(path)

        other = Project(self.settings, read)
        other.sees_files, other.whole, other.name = self.sees_files, self.whole, self.name
        other.knowledge = self.knowledge
        other.index = Overlay(self.index)
        return other

    def adopt(self, other: Project, path: str) -> None:
        """Take a document over from a project that is done with it, before it is added here.

        Of what is alike in the new text nothing is read again.
        """
        document, options = other._documents.pop(path, None), other._built.get(path)
        if isinstance(document, Dockerfile) and options is not None:
            self._documents[path], self._built[path] = document, options

    def release(self, path: str) -> None:
        """Forget the model of a document; what others need to know of it stays."""
        self._documents.pop(path, None)
        self._built.pop(path, None)

    def put(self, summary: Summary) -> None:
        """Take in the summary of a file that was read elsewhere."""
        self.changed |= self.index.put(summary)
        self.changed.add(("built", summary.path))

    def forget(self, path: str) -> None:
        """Forget what is known of a file that is there still: nobody who looked for it looks again."""
        self.release(path)
        self._borrowed.pop(path, None)
        self.changed |= self.index.drop(path)

    def remove(self, path: str) -> None:
        """Take out a document that is gone; nothing happens when it is not there."""
        before = self.index.get(path)
        self.forget(path)
        self.changed.add(("built", path))
        if before is not None:
            self._follow(before.builds, ())
            self._wake(path, self.index.readers(path, "gone"))

    def concerned(self) -> set[str]:
        """Return the files for which something has changed since this was last asked."""
        changed, self.changed = self.changed, set()
        return set(self.index.concerned(changed))

    def model(self, path: str) -> Document | None:
        """Return the model of a file, read from disk when it is not kept; None if it is gone."""
        kept = self._documents.get(path)
        if kept is not None:
            return kept
        text = self.read(path)
        known = self.index.get(path)
        if text is None:
            return None
        borrowed = self._borrowed.get(path)
        if borrowed is None or borrowed.source.text != text:
            borrowed = build_file(known, text) if known is not None else None
            borrowed = borrowed or self._read(path, Source(text), known.kind if known else None)
            if borrowed is None:
                return None
            self._borrowed[path] = borrowed
            if len(self._borrowed) > _BORROWED:
                self._borrowed.popitem(last=False)
        return borrowed

    def _read(self, path: str, source: Source, kind: Kind | None) -> Document | None:
        kind = kind or self.kind(path, source.text)
        if kind is None:
            return None
        if kind == "devcontainer":
            return read_devcontainer(path, source)
        if kind == "compose":
            return read_compose(path, source)
        if kind == "builds":
            return read_build_file(path, source, self.read)
        options, config = self._options(path), self._config(path)
        before = self._documents.pop(path, None)
        # What was read of it is taken apart for the new text; other build arguments change it all.
        same = isinstance(before, Dockerfile) and self._built.get(path) == options
        self._built[path] = options
        known = before if same and isinstance(before, Dockerfile) else None
        return read_dockerfile(path, source, options, self.knowledge, config, known)

    def _summarise(self, document: Document) -> Summary:
        found = self.built(document) if isinstance(document, Dockerfile) else ()
        return summarise(document, self.knowledge, self.read, found)

    def built(self, document: Dockerfile) -> tuple[Built, ...]:
        """Return what the builds of the workspace make of a Dockerfile's cache mounts."""
        builds = tuple(self.index.builds(document.path))
        if not builds:
            return ()
        known = document.__dict__.get("built")
        if known is None or known[0] != builds:

            def read(
                arguments: Mapping[str, str], passed: frozenset[str], left: frozenset[str]
            ) -> Dockerfile:
                own = self.settings.build_args
                options = BuildOptions(
                    {**arguments, **own},
                    self.settings.namespace,
                    self.settings.engine,
                    passed - own.keys(),
                    left - own.keys(),
                )
                path, config = document.path, self._config(document.path)
                source, tree = document.source, document.tree
                return read_dockerfile(path, source, options, self.knowledge, config, tree=tree)

            options = self._built.get(document.path) or self._options(document.path)
            found = built(document, builds, options.build_args, read)
            known = document.__dict__["built"] = (builds, found)
        return cast("tuple[Built, ...]", known[1])

    def _take_in(self, summary: Summary, text: str) -> None:
        self._borrowed.pop(summary.path, None)
        before = self.index.get(summary.path)
        self.put(summary)
        self._follow(before.builds if before is not None else (), summary.builds)
        if before is None:
            self._wake(summary.path, self.index.readers(summary.path, "came"))
        others = self.index.readers(summary.path, "changed")
        # What is taken in for the first time was there to be read all along.
        if others and (before is not None or self.read(summary.path) != text):
            self._wake(summary.path, others)

    def _follow(self, before: Sequence[Invocation], after: Sequence[Invocation]) -> None:
        """Read the Dockerfiles anew whose keys other builds may have changed."""
        old, new = ({item.means: item.dockerfile for item in one} for one in (before, after))
        for path in {(old | new)[means] for means in old.keys() ^ new.keys()}:
            if path is not None:
                self._reread(path)

    def _wake(self, path: str, others: Sequence[str]) -> None:
        """Read the files anew whose builds rest on a file that has changed, or come or gone."""
        waking, self._waking = self._waking, True
        for other in () if waking else others:
            known = self.index.get(other)
            text = kept.source.text if (kept := self._documents.get(other)) else self.read(other)
            if known is None or text is None or other == path:
                continue
            if kept is not None:
                self.add(other, text, known.kind)
            else:
                self.survey(other, text, known.kind)
        self._waking = waking

    def _reread(self, path: str) -> None:
        self._borrowed.pop(path, None)
        known = self._documents.get(path)
        if isinstance(known, Dockerfile):
            if self._built.get(path) != self._options(path):
                self.add(path, known.source.text, "dockerfile")
        elif path in self.index and (text := self.read(path)) is not None:
            self.survey(path, text, "dockerfile")

    def _options(self, path: str) -> BuildOptions:
        arguments = {**agreed(self.index.builds(path)), **self.settings.build_args}
        return BuildOptions(arguments, self.settings.namespace, self.settings.engine)

    def _config(self, path: str) -> Callable[[str], str | None]:
        folder = posixpath.dirname(path)

        def read(name: str) -> str | None:
            inside = posixpath.normpath(posixpath.join(folder, name))
            return None if inside.startswith("..") else self.read(inside)

        return read

    # -- questions ------------------------------------------------------------------------------

    def sharing(self, key: Key) -> Iterator[CacheMount]:
        """Yield every mount of the workspace that has this key."""
        return self.index.sharing(key.identity)

    def dockerfile_of(self, document: Devcontainer) -> Dockerfile | None:
        """Return the Dockerfile that a devcontainer.json builds, if it lies in the workspace."""
        path = document.dockerfile_path
        if path is None:
            return None
        kept = self._documents.get(path)
        if kept is None and path not in self.index:
            # Any name will do for a Dockerfile that a devcontainer.json names.
            text = self.read(path)
            if text is not None:
                self.survey(path, text, "dockerfile")
        model = self.model(path)
        return model if isinstance(model, Dockerfile) else None

    def composers(self, path: str) -> Iterator[Devcontainer]:
        """Yield the dev containers that name a compose file."""
        for other in self.index.composers(path):
            model = self.model(other)
            if isinstance(model, Devcontainer):
                yield model

    def kind(self, path: str, text: str = "") -> Kind | None:
        """Tell what a file is: by its name, by its text, or because a devcontainer.json names it.

        Files that a compose file takes in, which a devcontainer.json names, are named by it, too.
        """
        kind = kind_in(path, text)
        if kind is None and may_be_compose(path) and any(self.index.composers(path)):
            return "compose"
        return kind

    def compose_file(self, path: str) -> ComposeFile | None:
        """Return a file that a compose file names: any name will do for one."""
        model = self.model(path)
        if model is None and path not in self.index and (text := self.read(path)) is not None:
            self.survey(path, text, "compose")
            model = self.model(path)
        return model if isinstance(model, ComposeFile) else None

    def name_for(self, wish: Wish) -> str:
        """Return the id that a cache of this project is best called by; no other cache has it."""
        plain, longer, *of_folder = self.names_for(wish)
        alone = self.index.is_alone_in(wish.folder, wish.identity)
        names = of_folder if self._is_of_several(wish) else ([plain, longer] if alone else [longer])
        return next((name for name in names if self.is_free(name)), self.free(names[-1]))

    def names_for(self, wish: Wish) -> tuple[str, ...]:
        """Return the ids that :meth:`name_for` chooses from."""
        folder = _NOT_IN_IDS.sub("-", posixpath.dirname(wish.path).lower()).strip("-.")
        stems = (wish.stem, wish.longer)
        named = tuple(f"{self.name}-{stem}" for stem in stems)
        return (*named, *(f"{self.name}-{folder}-{stem}" for stem in stems if folder)) + (
            () if folder else named
        )

    def _is_of_several(self, wish: Wish) -> bool:
        """Tell whether files of several folders, which are projects of their own, have the key."""
        folder = posixpath.dirname(wish.path)
        return bool(wish.path) and any(
            posixpath.dirname(mount.path) != folder for mount in self.index.sharing(wish.identity)
        )

    def is_free(self, name: str, identities: Collection[Hashable] = ()) -> bool:
        """Tell whether no cache of the workspace has this id, but those with the given keys."""
        full = f"{self.settings.namespace}/{name}"
        return all(mount.key.identity in identities for mount in self.index.named(full))

    def free(self, name: str, identities: Collection[Hashable] = ()) -> str:
        """Return an id that no other cache has: ``name`` itself, or with a number behind it."""
        if self.is_free(name, identities):
            return name
        return next(
            numbered
            for number in count(2)
            if self.is_free(numbered := f"{name}-{number}", identities)
        )
