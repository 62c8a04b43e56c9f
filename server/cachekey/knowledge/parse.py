"""From TOML tables to records of tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cachekey.knowledge.patterns import pattern
from cachekey.knowledge.reader import Problem, Table
from cachekey.knowledge.records import (
    CacheDir,
    Command,
    Concurrency,
    Confidence,
    Doors,
    Emptying,
    Gathering,
    Hides,
    Keeping,
    Kind,
    Linking,
    LinkMode,
    Manifest,
    Passing,
    Suggestion,
    Switch,
    Tool,
)
from cachekey.knowledge.ways import Setting, Way

SHARINGS = ("shared", "locked", "private")
OWN_SOURCE = "your settings"


def parse_tool(
    name: str, data: Mapping[str, Any], problems: list[Problem], *, own: bool = False
) -> Tool:
    """Read one tool; ``own`` ones (from settings) need neither source nor date."""
    table = Table(data, (name,), problems)
    confidence = table.choice(
        "confidence", Confidence, Confidence.DOCUMENTED if own else Confidence.REMEMBERED
    )
    tool = Tool(
        id=table.text("id", name),
        name=table.text("name", name),
        source=table.text("source", OWN_SOURCE if own else "", required=not own),
        see=table.texts("see"),
        date=table.text("date", required=not own),
        confidence=confidence,
        commands=_commands(table),
        caches=tuple(_cache(item, name, confidence) for item in table.tables("caches")),
        home=table.text("home", "HOME"),
        root_only=table.flag("root_only"),
        families=table.texts("families"),
        value_flags=table.texts("value_flags"),
        reads=table.texts("reads"),
        writes=table.texts("writes"),
        cwd_flags=table.texts("cwd_flags"),
        project_flags=table.texts("project_flags"),
        project_folders=table.texts("project_folders"),
        project_words=table.texts("project_words"),
        clusters=table.flag("clusters"),
        settings=tuple(_setting(item) for item in table.tables("settings")),
        when=table.mapping("when"),
        disabled_by=tuple(_switch(item) for item in table.tables("disabled_by")),
        empties=tuple(_emptying(item) for item in table.tables("empties")),
        starts=table.texts("starts"),
        may_start=table.texts("may_start"),
        never_starts=table.texts("never_starts"),
        hides=tuple(_hides(item) for item in table.tables("hides")),
        keeping=_keeping(table.table("keeping")),
        link_mode=_link_mode(table.table("link_mode")),
        suggest=tuple(_suggestion(item) for item in table.tables("suggest")),
        gathers=tuple(_gathering(item) for item in table.tables("gathers")),
        manifest=_manifest(table.table("manifest")),
        passing=tuple(_passing(item) for item in table.tables("passing")),
        unwritable=table.text("unwritable"),
        notes=table.texts("notes"),
    )
    table.close()
    _check(tool, table)
    return tool


def _check(tool: Tool, table: Table) -> None:
    """Check what one key cannot tell alone: names that must exist, words that must be known."""
    if not tool.commands:
        table.complain("a tool needs commands")
    if tool.home not in {"HOME", "passwd"}:
        table.complain("home is HOME or passwd", "home")
    roles = [cache.role for cache in tool.caches]
    if len(set(roles)) != len(roles):
        table.complain("two caches have one role", "caches")
    named = [role for item in tool.disabled_by for role in item.caches]
    named += [role for item in tool.empties for role in item.caches]
    named += [role for hint in tool.suggest for role in (*hint.mounts, *hint.rare)]
    named += [cache.instead for cache in tool.caches if cache.instead]
    named += tool.keeping.caches if tool.keeping else ()
    named += tool.link_mode.caches if tool.link_mode else ()
    for role in named:
        if role.split("/", 1)[0] not in roles:
            table.complain(f"no cache has the role {role!r}")
    settings = {item.name for item in tool.settings}
    conditions = [tool.when, *(cache.when for cache in tool.caches)]
    conditions += [way.when for cache in tool.caches for way in cache.moved_by]
    for name in {name for condition in conditions for name in condition} - settings:
        table.complain(f"no setting is named {name!r}")


def _commands(table: Table) -> tuple[Command, ...]:
    """Read commands; a plain list of names stands for commands that always use the cache."""
    raw = table.data.get("commands")
    if isinstance(raw, str) or (isinstance(raw, list) and raw and isinstance(raw[0], str)):
        always = (pattern("*"),)
        return (Command(table.texts("commands"), always, (), (), (), (), False, ""),)
    found = []
    for item in table.tables("commands"):
        found.append(
            Command(
                names=item.texts("names"),
                uses=item.patterns("uses"),
                silent=item.patterns("silent"),
                runs=item.patterns("runs"),
                contains=item.texts("contains"),
                through=tuple(_way(way) for way in item.tables("through")),
                only=item.flag("only"),
                matches=item.text("matches"),
                reads=item.patterns("reads"),
            )
        )
        item.close()
        if not found[-1].names:
            item.complain("'names' is missing")
        if bool(found[-1].through) != bool(found[-1].matches):
            item.complain("through and matches belong together", "through")
    return tuple(found)


def _cache(table: Table, tool: str, confidence: Confidence) -> CacheDir:
    role = table.text("role", "cache")
    kind = table.choice("kind", Kind, Kind.DOWNLOAD)
    cache = CacheDir(
        role=role,
        what=table.text("what", "its cache"),
        kind=kind,
        path=table.text("path"),
        root_path=table.text("root_path"),
        alternatives=table.texts("alternatives"),
        moved_by=tuple(_way(item) for item in table.tables("moved_by")),
        parts=table.texts("parts"),
        children=table.texts("children"),
        looks_like=table.texts("looks_like"),
        pin=table.text("pin"),
        pin_flag=table.text("pin_flag"),
        pin_also=table.texts("pin_also"),
        beside_project=table.text("beside_project"),
        id=table.text("id", tool if role == "cache" else f"{tool}-{role}"),
        sharing=table.text("sharing", "shared"),
        concurrent=table.choice("concurrent", Concurrency, Concurrency.UNKNOWN),
        basis=table.text("basis", "guess"),
        reason=table.text("reason"),
        varies_by=table.texts("varies_by", ("project",) if kind is Kind.BUILD else ()),
        used_by=table.patterns("used_by"),
        aside=table.patterns("aside"),
        filled_by=table.patterns("filled_by"),
        needed_by=table.patterns("needed_by"),
        kept_apart=tuple(_way(item) for item in table.tables("kept_apart")),
        instead=table.text("instead"),
        filled_by_any=table.flag("filled_by_any"),
        filled_only=table.flag("filled_only"),
        only_told=table.flag("only_told"),
        programs=table.flag("programs"),
        linked=_linking(table.table("linked")),
        doors=_doors(table.table("doors")),
        when=table.mapping("when"),
        confidence=table.choice("confidence", Confidence, confidence),
        note=table.text("note"),
        root_file=table.text("root_file"),
        root_key=table.text("root_key"),
        own_paths=table.flag("own_paths"),
    )
    if cache.sharing not in SHARINGS:
        table.complain(f"{cache.sharing!r} is none of {', '.join(SHARINGS)}", "sharing")
    if cache.basis not in {"stated", "guess"}:
        table.complain("basis is stated or guess", "basis")
    table.close()
    return cache


def _way(table: Table) -> Way:
    command = table.text("command")
    way = Way(
        flag=table.text("flag"),
        env=table.text("env"),
        word=table.text("word"),
        config=table.text("config"),
        command=pattern(command) if command else None,
        by=table.text("by"),
        program=table.text("program"),
        argument=table.flag("argument"),
        fact=table.text("fact"),
        key=table.text("key"),
        text=table.text("text"),
        value=table.text("value"),
        below=table.text("below"),
        children=table.texts("children"),
        split=table.text("split"),
        ignore_case=table.flag("ignore_case"),
        earlier=table.flag("earlier"),
        when=table.mapping("when"),
    )
    table.close()
    named = (way.flag, way.env, way.word, way.config, way.command, way.program, way.fact)
    if sum(map(bool, (*named, way.argument))) != 1:
        kinds = "flag, env, word, config, command, program, fact, argument"
        table.complain(f"exactly one of {kinds} is needed")
    if way.by and not way.command:
        table.complain("by needs a command")
    if way.config and not (way.key or way.value):
        table.complain("a config file needs a key, or a value that it stands for")
    return way


def _setting(table: Table) -> Setting:
    setting = Setting(
        table.text("name", required=True),
        tuple(_way(item) for item in table.tables("from")),
        table.optional("default"),
        table.text("what"),
    )
    table.close()
    return setting


def _switch(table: Table) -> Switch:
    switch = Switch(
        flag=table.text("flag"),
        env=table.text("env"),
        config=table.text("config"),
        key=table.text("key"),
        off=table.texts("off", ("",)),
        on=table.texts("on"),
        ignore_case=table.flag("ignore_case"),
        commands=table.patterns("commands"),
        caches=table.texts("caches"),
        confidence=table.optional_choice("confidence", Confidence),
    )
    table.close()
    if sum(map(bool, (switch.flag, switch.env, switch.config))) != 1:
        table.complain("exactly one of flag, env, config is needed")
    return switch


def _emptying(table: Table) -> Emptying:
    item = Emptying(
        pattern(table.text("command", required=True)),
        table.texts("caches"),
        table.flag("first"),
        table.optional_choice("confidence", Confidence),
    )
    table.close()
    return item


def _hides(table: Table) -> Hides:
    item = Hides(
        table.text("path", required=True),
        table.text("what", required=True),
        table.texts("images"),
        table.patterns("made_by"),
    )
    table.close()
    return item


def _keeping(table: Table | None) -> Keeping | None:
    if table is None:
        return None
    item = Keeping(
        table.texts("families"),
        table.texts("caches"),
        table.text("cause", required=True),
        table.texts("files"),
        table.texts("words"),
        table.texts("lines"),
    )
    table.close()
    return item


def _doors(table: Table | None) -> Doors | None:
    if table is None:
        return None
    item = Doors(
        table.texts("links"),
        table.patterns("commands"),
        tuple(_way(way) for way in table.tables("unless")),
    )
    table.close()
    return item


def _linking(table: Table | None) -> Linking | None:
    if table is None:
        return None
    ways = tuple(_way(way) for way in table.tables("by"))
    value, commands = table.text("value", required=True), table.patterns("commands")
    what, unless = table.text("what", required=True), table.texts("unless")
    item = Linking(ways, value, commands, what, unless)
    table.close()
    return item


def _link_mode(table: Table | None) -> LinkMode | None:
    if table is None:
        return None
    item = LinkMode(
        table.text("env"),
        table.text("value", required=True),
        table.text("flag"),
        tuple(_way(way) for way in table.tables("config")),
        table.texts("caches"),
        table.patterns("commands"),
        table.text("what"),
    )
    table.close()
    return item


def _manifest(table: Table | None) -> Manifest | None:
    if table is None:
        return None
    item = Manifest(table.patterns("commands"), table.texts("files"), table.patterns("named"))
    table.close()
    return item


def _gathering(table: Table) -> Gathering:
    item = Gathering(
        pattern(table.text("command", required=True)), table.text("folder", required=True)
    )
    table.close()
    return item


def _passing(table: Table) -> Passing:
    item = Passing(
        pattern(table.text("command", required=True)),
        table.text("what", required=True),
        table.text("cache"),
    )
    table.close()
    return item


def _suggestion(table: Table) -> Suggestion:
    item = Suggestion(table.patterns("commands"), table.texts("mounts"), table.texts("rare"))
    table.close()
    return item
