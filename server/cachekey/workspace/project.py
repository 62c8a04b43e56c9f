"""All documents of a workspace together: who shares which key, which files belong to each other.

A change costs the document that changed and the index entries it has, never the workspace.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import lru_cache

from cachekey.buildkit.keys import Key
from cachekey.devcontainer.read import Devcontainer, read_devcontainer
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.records import Dockerfile
from cachekey.dockerfile.stages import BuildOptions, read_dockerfile
from cachekey.kinds import Kind, kind_of
from cachekey.knowledge import Knowledge
from cachekey.text import Source
from cachekey.workspace.index import Extract, Index
from cachekey.workspace.settings import Settings

Document = Dockerfile | Devcontainer


_NOT_IN_IDS = re.compile(r"[^a-z0-9._-]+")


@lru_cache(maxsize=1)
def _built_in() -> Knowledge:
    return Knowledge()


def _by_key(document: Dockerfile) -> Iterator[tuple[Hashable, Place]]:
    for run, mount in document.caches:
        assert mount.key is not None
        yield mount.key.identity, Place(document, run, mount)


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
        own = self.settings.tools or self.settings.images
        self.knowledge = (
            Knowledge(self.settings.tools, self.settings.images) if own else _built_in()
        )
        self._documents: dict[str, Document] = {}
        self._builders: dict[str, dict[str, Devcontainer]] = {}
        """The devcontainer.json files that build a Dockerfile, by its path."""
        self._by_key = Index(_by_key)
        self._indexes: dict[Extract, Index] = {}

    def call(self, root: str) -> None:
        """Name the project after its root folder, as far as that makes an id."""
        name = _NOT_IN_IDS.sub("-", posixpath.basename(root.rstrip("/")).lower()).strip("-.")
        self.name = name or self.name

    @property
    def documents(self) -> Mapping[str, Document]:
        """Return the documents by path."""
        return self._documents

    def add(self, path: str, text: str, kind: Kind | None = None) -> Document | None:
        """Read a document, or read it anew; None when its name says that it is none of ours."""
        kind = kind or kind_of(path)
        if kind is None:
            return None
        self.remove(path)
        source = Source(text)
        document: Document
        if kind == "devcontainer":
            document = read_devcontainer(path, source)
        else:
            document = read_dockerfile(
                path, source, self._options(path), self.knowledge, self._config(path)
            )
        self._documents[path] = document
        if isinstance(document, Devcontainer):
            if document.dockerfile_path:
                self._builders.setdefault(document.dockerfile_path, {})[path] = document
            self._reread_dockerfile(document)
        else:
            for index in (self._by_key, *self._indexes.values()):
                index.put(document)
        return document

    def remove(self, path: str) -> None:
        """Forget a document; nothing happens when it is not there."""
        document = self._documents.pop(path, None)
        if isinstance(document, Dockerfile):
            for index in (self._by_key, *self._indexes.values()):
                index.drop(path)
        elif document is not None and document.dockerfile_path:
            del self._builders[document.dockerfile_path][path]

    def _options(self, path: str) -> BuildOptions:
        arguments = {**self._devcontainer_args(path), **self.settings.build_args}
        return BuildOptions(arguments, self.settings.namespace, self.settings.engine)

    def _devcontainer_args(self, path: str) -> Mapping[str, str]:
        first = next(iter(self._builders.get(path, {}).values()), None)
        return first.build_args if first is not None else {}

    def _reread_dockerfile(self, document: Devcontainer) -> None:
        # The build arguments of a devcontainer.json decide keys of the Dockerfile that it builds.
        path = document.dockerfile_path
        known = self._documents.get(path) if path else None
        if path and isinstance(known, Dockerfile) and document.build_args:
            self.add(path, known.source.text, "dockerfile")

    def _config(self, path: str) -> Callable[[str], str | None]:
        folder = posixpath.dirname(path)

        def read(name: str) -> str | None:
            inside = posixpath.normpath(posixpath.join(folder, name))
            return None if inside.startswith("..") else self.read(inside)

        return read

    def sharing(self, key: Key) -> Iterator[Place]:
        """Yield every mount of the workspace that has this key."""
        places = self._by_key.get(key.identity)
        for path in sorted(places):
            yield from places[path]

    def look_up(self, extract: Extract, key: Hashable) -> Mapping[str, list[Place]]:
        """Return the places that ``extract`` files under ``key``, by document.

        The first question with an ``extract`` reads all documents, later ones cost what has changed.
        """
        index = self._indexes.get(extract)
        if index is None:
            index = self._indexes[extract] = Index(extract)
            for document in self._documents.values():
                if isinstance(document, Dockerfile):
                    index.put(document)
        return index.get(key)

    def caches(self) -> Iterator[Place]:
        """Yield every cache mount of every Dockerfile; costs the workspace, for reports only."""
        for path in sorted(self._documents):
            document = self._documents[path]
            if isinstance(document, Dockerfile):
                for run, mount in document.caches:
                    yield Place(document, run, mount)

    def dockerfile_of(self, document: Devcontainer) -> Dockerfile | None:
        """Return the Dockerfile that a devcontainer.json builds, if it lies in the workspace."""
        path = document.dockerfile_path
        if path is None:
            return None
        known = self._documents.get(path)
        if known is None:
            text = self.read(path)
            if text is not None:
                known = self.add(path, text, "dockerfile")
        return known if isinstance(known, Dockerfile) else None
