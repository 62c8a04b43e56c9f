"""What installers leave that a RUN fetches and runs at once."""

from __future__ import annotations

from cachekey.commands.effect import inside
from cachekey.commands.fetched import addresses, is_fetched
from cachekey.dockerfile.records import Run
from cachekey.knowledge.installers import installers
from cachekey.knowledge.paths import UnknownValueError, expand_template
from cachekey.text import Span


def made_by_fetched(run: Run, index: int) -> tuple[str, ...] | None:
    """Return the folders that a fetched installer makes; ``None``: not all that it is is known.

    ``index`` is that of the shell that runs it, among the commands of the RUN.
    """
    item = run.commands.items[index]
    found = [installers().fetched_from(url) for url in addresses(run.commands.items, index)]
    known = [one for one in found if one is not None]

    def look(name: str) -> str | None:
        if name in item.env:
            return item.env[name].text
        return item.state.value(name) or run.scope.shell_variable(name)

    if not found or len(known) < len(found):
        return None
    try:
        return tuple(expand_template(text, look) for one in known for text in one.makes)
    except UnknownValueError:
        return None


def installed_into(run: Run, folder: str) -> Span | None:
    """Return the command of a RUN that surely installs into ``folder``, or below, by what it fetches."""
    items = run.commands.items
    for index, item in enumerate(items):
        if is_fetched(items, index) and not item.conditional:
            if any(inside(made, folder) for made in made_by_fetched(run, index) or ()):
                return item.head
    return None
