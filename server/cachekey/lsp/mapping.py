"""*Show Cache Map*: the page that the command line makes, with links that an editor opens."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from cachekey.lsp import uris
from cachekey.markup.message import message
from cachekey.report.map_data import caches_of
from cachekey.report.map_svg import page

if TYPE_CHECKING:
    from cachekey.lsp.area import Area
    from cachekey.lsp.session import Session
    from cachekey.workspace.summary import CacheMount


def cache_maps(session: Session) -> list[dict[str, str]]:
    """Return title and page for each folder of the workspace, and for what is open outside of them."""
    lonely = [item.area for item in session.documents.values() if item.area.is_lonely]
    for document in session.documents.values():
        session.read(document)
    return [_of(session, area) for area in (*session.areas, *lonely)]


def _of(session: Session, area: Area) -> dict[str, str]:
    def link(mount: CacheMount) -> str:
        return f"{session.uri(area, mount.path)}#L{mount.line + 1}"

    index = area.project.index
    html = page(caches_of(index, index), str, link)
    name = (
        posixpath.basename(uris.to_path(area.uri) or area.uri.rpartition(":")[2])
        if area.is_lonely
        else area.project.name
    )
    return {"title": message(f"Cache map of {name}"), "html": html}
