"""What is known about tools, as frozen records; their meaning is the data's schema.

A tool file says in TOML what stands here in Python, key by key; settings write own tools in the same
shape. Records hold no behaviour of one particular tool: whatever distinguishes
two tools is a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from cachekey.knowledge.ways import Pattern, Setting, Way
from cachekey.record import record


class Confidence(str, Enum):
    """How well a record is founded."""

    VERIFIED = "verified"
    """Seen by running the tool."""
    DOCUMENTED = "documented"
    """Read in the tool's own documentation or source."""
    REMEMBERED = "remembered"
    """Common knowledge without proof: good for a hint, never for a warning."""

    @property
    def warns(self) -> bool:
        """Tell whether a warning may rest on it."""
        return self is not Confidence.REMEMBERED


class Kind(str, Enum):
    """What a directory is to the image that is being built."""

    DOWNLOAD = "download"
    """A cache proper: losing it costs time only."""
    BUILD = "build"
    """Build output of one project: must be copied out, must not be shared between projects."""
    RESULT = "result"
    """What the image needs at run time lies here; below a cache mount it is lost."""


class Concurrency(str, Enum):
    """What two builds do that use the directory at the same time."""

    SAFE = "safe"
    WAITS = "waits"
    """The tool's own lock lies in the directory: the second one waits."""
    FAILS = "fails"
    """The second one stops with an error."""
    CORRUPTS = "corrupts"
    """Entries may be damaged."""
    UNKNOWN = "unknown"


@record(frozen=True)
class Switch:
    """A flag, variable or configuration key that keeps the tool from using its cache."""

    flag: str = ""
    env: str = ""
    config: str = ""
    key: str = ""
    off: tuple[str, ...] = ()
    """Values (lower case) with which the variable or key does not switch the cache off."""
    on: tuple[str, ...] = ()
    """If given, the only values that switch it off."""
    ignore_case: bool = False
    commands: tuple[Pattern, ...] = ()
    """Subcommands it concerns; none: all."""
    caches: tuple[str, ...] = ()
    """Roles it concerns; none: all download caches."""
    confidence: Confidence | None = None

    def disables(self, value: str) -> bool:
        """Tell whether the variable or key switches the cache off with this value."""
        value = value.strip().lower()
        return value in self.on if self.on else value not in self.off


@record(frozen=True, eq=False)
class Linking:
    """A setting with which what a tool installs is nothing but links into its cache."""

    by: tuple[Way, ...]
    """What sets it, strongest first."""
    value: str
    """Its value (lower case) then."""
    commands: tuple[Pattern, ...]
    """Subcommands that install."""
    what: str
    """What consists of links."""
    unless: tuple[str, ...]
    """Variables that turn it off when they are set."""


@record(frozen=True, eq=False)
class Doors:
    """Links that the tool makes in its working directory and that lead into a directory of its own."""

    links: tuple[str, ...]
    commands: tuple[Pattern, ...]
    """Subcommands that make them."""
    unless: tuple[Way, ...]
    """What moves them or keeps the tool from making them."""


@record(frozen=True, eq=False)
class CacheDir:
    """One directory of a tool."""

    role: str
    what: str
    """What lies in it, for messages: ``downloaded wheels``."""
    kind: Kind
    path: str
    """Default as a template over variables (``${XDG_CACHE_HOME:-$HOME/.cache}/uv``); a relative
    one lies below the working directory; empty: the tool has no such directory unless told."""
    root_path: str
    """Default for root where it differs."""
    only_told: bool
    """When nothing tells of it the tool has none; others without a default have one that is not known."""
    alternatives: tuple[str, ...]
    """Other templates that older versions or existing directories lead to: never suggested, and a
    mount there is never called wrong."""
    moved_by: tuple[Way, ...]
    """What moves it, strongest first."""
    parts: tuple[str, ...]
    """Children that are right to mount alone, best first."""
    children: tuple[str, ...]
    """Globs of all that the tool makes in there: another child is somebody's invention, and the tool
    never looks at it. Empty: not known."""
    looks_like: tuple[str, ...]
    """Globs of targets that people write when they mean this directory."""
    pin: str
    """The variable by which a fix or ``containerEnv`` moves it."""
    pin_flag: str
    """The flag that does so where no variable is safe."""
    pin_also: tuple[str, ...]
    """Variables that a dev container sets, several where versions differ and ``pin`` is none."""
    beside_project: str
    """The default counts only for projects on the filesystem of the home directory; for others the
    tool takes the directory of this name in the root of the project's own mount. Empty: it does not."""
    id: str
    """The id to suggest."""
    sharing: str
    """The ``sharing`` to suggest: shared, locked or private."""
    concurrent: Concurrency
    basis: str
    """Why: ``stated`` by the tool's makers, or a ``guess``."""
    reason: str
    varies_by: tuple[str, ...]
    """What one cache must not be shared across: platform, distro, project, version.

    Build output is one project's where nothing is said; entries named by all that they are made of are not.
    """
    used_by: tuple[Pattern, ...]
    """Subcommands that use it; none: all that use any cache."""
    aside: tuple[Pattern, ...]
    """Subcommands that take a directory of their own below /tmp instead, unless something moves this one."""
    filled_by: tuple[Pattern, ...]
    """Subcommands that fill it ahead of others."""
    filled_by_any: bool
    """All that use it count as having filled it, for those that need it: what they make is no help."""
    filled_only: bool
    """Nothing else fills it: where it is empty, others fail."""
    needed_by: tuple[Pattern, ...]
    """Subcommands that fail or start anew when what was filled is not there."""
    kept_apart: tuple[Way, ...]
    """What keeps the contents of several platforms apart within the directory, when it is set."""
    instead: str
    """For results: the role to mount instead."""
    programs: bool
    """For results: programs of its user lie in it, and nobody fetches them again while one is there."""
    linked: Linking | None
    """When what the tool installs elsewhere leads into this directory."""
    doors: Doors | None
    when: Mapping[str, str]
    """Settings that must have these values for the directory to be in use."""
    confidence: Confidence
    note: str
    root_file: str = ""
    """A relative default lies in the root of the project: in the folder of the nearest file of this name,
    or further up, of one that says ``root_key``."""
    root_key: str = ""
    own_paths: bool = False
    """What the tool keeps there names its own absolute place: found at another, it leads nowhere."""

    @property
    def pins(self) -> tuple[str, ...]:
        """Return the variables by which a dev container moves the directory."""
        return (self.pin,) if self.pin else self.pin_also

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the variables that move the directory, strongest first."""
        return tuple(way.env for way in self.moved_by if way.env)

    @property
    def relative(self) -> bool:
        """Tell whether the directory lies below the working directory."""
        return bool(self.path) and self.path[0] not in "/$"


@record(frozen=True)
class Command:
    """Executables and what their subcommands do to the cache."""

    names: tuple[str, ...]
    """Globs of executable names, without directory."""
    uses: tuple[Pattern, ...]
    silent: tuple[Pattern, ...]
    """Known not to touch the cache; stronger than ``uses``."""
    runs: tuple[Pattern, ...]
    """Run a program whose words follow, or scripts that cannot be seen."""
    contains: tuple[str, ...]
    """Texts in an argument that tell a use (``Pkg.add`` in ``julia -e``)."""
    through: tuple[Way, ...]
    """The program is another one, which calls the tool when one of these says so ..."""
    only: bool
    """With ``through``: nothing else makes the program call the tool."""
    matches: str
    """... by this name, a glob, be it behind a directory (``RUSTC_WRAPPER=/usr/bin/sccache``); of a list
    that ``split`` takes apart (``PATH``), by one item as it stands."""
    reads: tuple[Pattern, ...] = ()
    """Take files by their paths (``dpkg -i /debs/*.deb``)."""


@record(frozen=True)
class Emptying:
    """A subcommand that empties directories."""

    command: Pattern
    caches: tuple[str, ...]
    """Roles; none: all download caches."""
    first: bool
    """It empties them before it fills them anew: no clean-up, but its way of working."""
    confidence: Confidence | None


@record(frozen=True)
class Hides:
    """A parent directory that must not be mounted, since the image keeps other things in it."""

    path: str
    what: str
    images: tuple[str, ...]
    """Only in these images (ids of image records); none: wherever the tool is installed."""
    made_by: tuple[Pattern, ...]
    """Subcommands that put something there, when it is nothing that the tool brings along."""


@record(frozen=True)
class Keeping:
    """A tool that deletes its packages after each install unless it is told to keep them."""

    families: tuple[str, ...]
    """Image families in which it does."""
    caches: tuple[str, ...]
    cause: str
    files: tuple[str, ...]
    """Globs of the files that say so: whoever touches one of them has dealt with it."""
    words: tuple[str, ...]
    """Texts in a word of a command that show the same (``--setopt=keepcache=1``)."""
    lines: tuple[str, ...]
    """Shell commands that make it keep them."""


@record(frozen=True)
class LinkMode:
    """How the tool is told to copy out of a cache on another filesystem."""

    env: str
    """Empty where only a flag tells."""
    value: str
    flag: str
    config: tuple[Way, ...]
    caches: tuple[str, ...]
    commands: tuple[Pattern, ...]
    what: str


@record(frozen=True)
class Manifest:
    """Subcommands that install what a few files name: they need no other file of the project."""

    commands: tuple[Pattern, ...]
    files: tuple[str, ...]
    """Globs of their names."""
    named: tuple[Pattern, ...]
    """Subcommands that install what the command line names, and read no file of the project."""


@record(frozen=True)
class Gathering:
    """A subcommand that puts the sources of some packages of the project into a folder."""

    command: Pattern
    folder: str
    """Below the working directory."""


@record(frozen=True)
class Passing:
    """A subcommand that tells of what ends with its RUN: nothing of it is in a cache or a layer."""

    command: Pattern
    what: str
    cache: str = ""
    """The role of the directory that it is kept in: it ends where that is a cache mount."""


@record(frozen=True)
class Suggestion:
    """Which directories to mount for an install command without any cache."""

    commands: tuple[Pattern, ...]
    mounts: tuple[str, ...]
    """Roles, or ``role/part`` where only a part is right."""
    rare: tuple[str, ...]
    """Those of them that many projects never fill: nobody misses one beside the others."""


@record(frozen=True, eq=False)
class Tool:
    """One tool: one TOML file."""

    id: str
    name: str
    source: str
    see: tuple[str, ...]
    """More pages, and the facts' origin."""
    date: str
    confidence: Confidence
    commands: tuple[Command, ...]
    caches: tuple[CacheDir, ...]
    home: str
    """``HOME``: the variable; ``passwd``: the user's entry (the JVM's ``user.home``)."""
    root_only: bool
    """Only root may run it: a root-owned cache is right below any user that calls sudo."""
    families: tuple[str, ...]
    """Image families whose package manager it is; none: any image may have it."""
    value_flags: tuple[str, ...]
    """Options whose value is the next word, so that it is no subcommand."""
    reads: tuple[str, ...]
    """Options whose value is a path that it reads."""
    writes: tuple[str, ...]
    """Options whose value is a path that its result goes to."""
    cwd_flags: tuple[str, ...]
    """Options that change the working directory."""
    project_flags: tuple[str, ...]
    """Options that name the file of another project than the one in the working directory."""
    project_folders: tuple[str, ...]
    """Options that name its folder."""
    project_words: tuple[str, ...]
    """Globs of words that name the project's file, beside which its relative directories lie; without
    such a word their place is not known."""
    clusters: bool
    """Short options may be written together (``-afy``)."""
    settings: tuple[Setting, ...]
    when: Mapping[str, str]
    """Settings that tell this tool from another one of the same executable."""
    disabled_by: tuple[Switch, ...]
    empties: tuple[Emptying, ...]
    starts: tuple[str, ...]
    """Tools that it surely runs, so that their caches count as well."""
    may_start: tuple[str, ...]
    """Tools that it may run; ``*``: anything (install scripts)."""
    never_starts: tuple[str, ...]
    """Tools that it replaces, whatever ``may_start`` says: it has no use for their caches."""
    hides: tuple[Hides, ...]
    keeping: Keeping | None
    link_mode: LinkMode | None
    suggest: tuple[Suggestion, ...]
    passing: tuple[Passing, ...]
    gathers: tuple[Gathering, ...]
    manifest: Manifest | None
    unwritable: str
    """What it does with a cache it may not write to: ``fails``, ``goes on without a cache``."""
    notes: tuple[str, ...]

    def cache(self, role: str) -> CacheDir | None:
        """Return the directory of this role."""
        return next((cache for cache in self.caches if cache.role == role), None)

    def setting(self, name: str) -> Setting | None:
        """Return the setting of this name."""
        return next((item for item in self.settings if item.name == name), None)
