"""Names of programs: which ones run other people's scripts, and which ones surely do not."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh", "mksh", "rbash"))
"""Shells whose language :mod:`cachekey.syntax.shell.parse` reads."""

_LIST_SHELLS = frozenset(("bash", "zsh", "ksh", "mksh", "rbash"))

PYTHON = re.compile(r"(?:python|pypy)[0-9.]*t?\Z")

_SHEBANG = re.compile(r"#![ \t]*(\S+)(?:[ \t]+(-S[ \t]+)?(\S+))?")

_RUNS_SCRIPTS = frozenset(
    (
        *(
            "make",
            "gmake",
            "just",
            "task",
            "tox",
            "nox",
            "invoke",
            "inv",
            "ninja",
            "meson",
            "scons",
        ),
        *("rake", "grunt", "gulp", "ant", "lerna", "rush", "earthly", "mage", "doit", "fab", "waf"),
        *("ansible", "ansible-playbook", "chef-client", "puppet", "chroot", "parallel", "entr"),
        *("node", "nodejs", "ruby", "perl", "php", "lua", "tclsh", "expect", "groovy", "osascript"),
        *("ssh", "run-parts", "debootstrap", "nix-shell", "scl", "script", "watchexec", "catkin"),
        *("catkin_make", "colcon", "rosdep", "west", "idf.py", "mise", "devbox"),
        *("ts-node", "tsx", "nodemon", "pwsh", "powershell", "fish", "csh", "tcsh", "awk -f"),
    )
)
# Of two words: the first alone may be another subcommand (`yarn workspaces focus` installs).
_SCRIPT_RUNNERS = {
    "npm": ("run", "run-script", "start", "test", "t", "restart", "stop", "rum", "urn"),
    "yarn": (
        *("run", "start", "test", "build", "lint", "node", "workspace"),
        *("workspaces run", "workspaces foreach"),
    ),
    "pnpm": ("run", "start", "test", "build", "lint", "t", "run-script"),
    "bun": ("run", "test", "start", "build"),
    "deno": ("run", "task", "test", "eval"),
    "composer": ("run", "run-script"),
    "cargo": ("make", "xtask"),
    "direnv": ("exec", "reload"),
    "asdf": ("exec", "install"),
}
_SCRIPT_FILE = re.compile(
    r"\.(?:sh|bash|zsh|ksh|py|pl|rb|js|mjs|cjs|ts|php|lua|r|ps1|bat|cmd)\Z", re.IGNORECASE
)
_WRAPPED_TOOLS = frozenset(("gradlew", "mvnw", "bazelisk", "sbtx", "millw", "composer.phar"))
_IN_BIN = re.compile(r"/s?bin/[^/]+\Z")
_ASKS_ONLY = frozenset(("--version", "-V", "-v", "--help", "-h", "-version"))

_NAMES = """
    : . [ [[ alias bg bind break builtin caller cd command compgen continue declare dirs disown echo
    enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout
    popd printf pushd pwd read readonly return set shift shopt source suspend test times trap true
    type typeset ulimit umask unalias unset wait
    adduser addgroup addpart apropos ar arch as awk b2sum base32 base64 basename bc blkid bunzip2
    bzcat bzip2 cal cat chage chattr chgrp chmod chown chpasswd chsh cksum clear cmp col column comm
    cp cpio crontab csplit curl cut date dc dd deluser delgroup depmod df diff dig dir dircolors
    dirname dmesg dos2unix du egrep elinks env expand expr factor fallocate fdisk fgrep file find
    findmnt flock fmt fold free ftp fuser g++ gcc cc c++ clang clang++ gawk getcap getconf getent
    gpasswd gpg gpg2 gpgconf gpgv grep groupadd groupdel groupmod groups gunzip gzip head hexdump
    host hostid hostname hostnamectl iconv id ifconfig insmod install ip ipcs jq join killall last
    ld ldconfig ldd less link ln locale locale-gen localedef localectl logger login logname look
    losetup ls lsattr lsb_release lsblk lscpu lsmod lsof lspci lzma m4 mandb mawk md5sum mkdir mkfifo
    mkfs mknod mkswap mktemp modprobe more mount mountpoint mv namei nc netcat netstat newgrp newusers
    nl nm nologin nproc nslookup numfmt objcopy objdump od openssl passwd paste patch patchelf pathchk
    pgrep pidof ping pinky pkg-config pkill pr printenv ps ptx pv pwck pwgen ranlib readelf readlink
    realpath rename renice reset rev rm rmdir rmmod rsync scp sed seq setcap setfacl getfacl setfattr
    sha1sum sha224sum sha256sum sha384sum sha512sum shasum shred shuf size skopeo sleep sort split
    ssh-keygen ssh-keyscan stat strings strip stty sum swapoff swapon sync sysctl tac tail tar tee
    telnet time tput touch tr tree truncate tsort tty tune2fs tzselect umount uname unexpand uniq
    unix2dos unlink unlzma unxz unzip unzstd update-alternatives update-ca-certificates
    update-ca-trust update-locale update-rc.d uptime useradd userdel usermod users uuidgen vdir vi vim
    vipw visudo vmstat w watch wc wget whereis which whoami who xxd xz xzcat yes zcat zdiff zgrep
    zip zless zstd dpkg dpkg-divert dpkg-reconfigure dpkg-query debconf-set-selections rpm rpmkeys
    apt-key apt-mark apt-cache apt-config add-apt-repository yum-config-manager gosu su sudo doas
    su-exec runuser setpriv tini dumb-init git git-lfs svn hg java javac jar keytool openrc rc-update
    service systemctl supervisorctl nginx a2enmod a2dismod a2ensite docker-php-ext-enable envsubst
    xdg-open fc-cache glib-compile-schemas gtk-update-icon-cache update-desktop-database cowsay yq
    aria2c axel sponge pbzip2 pigz lz4 7z 7za unrar cabextract dos2unix chmem nsenter busybox toybox
    cmake ctest cpack autoconf automake autoreconf libtoolize gettext msgfmt xmllint xsltproc
    xargs env time nice nohup timeout dpkg-architecture rustc scanelf fix-permissions a2enconf pg_config
    docker-php-source xx-info xx-verify psql upx mold shfmt alternatives gpg1 deactivate phpenmod
    trust ionice stdbuf setsid taskset
    venv compileall ensurepip
    """
_FAMILIAR = frozenset((*_NAMES.split(), *SHELLS))


def is_familiar(program: str | None) -> bool:
    """Tell whether a name is that of a common program that does not run a project's tools."""
    return program is not None and program in _FAMILIAR


def wraps_tool(path: str) -> bool:
    """Tell whether a file by that name is a tool's wrapper: what it does is what the tool does."""
    return posixpath.basename(path) in _WRAPPED_TOOLS


def interpreter(text: str) -> str | None:
    """Return the program that a script's first line names; None: there is no such line."""
    found = _SHEBANG.match(text)
    if found is None:
        return None
    name = posixpath.basename(found.group(1))
    return posixpath.basename(found.group(3) or "") if name == "env" else name


def names_other_language(text: str) -> bool:
    """Tell whether a script's first line names an interpreter that is no shell."""
    name = interpreter(text)
    return name is not None and name not in SHELLS


def makes_lists(shell: str | None) -> bool:
    """Tell whether a shell surely makes many words of a list in braces."""
    return shell is not None and posixpath.basename(shell) in _LIST_SHELLS


def is_opaque(program: str, path: str, texts: Sequence[str | None]) -> bool:
    """Tell whether a call runs a script or program that the file does not show."""
    if len(texts) == 1 and texts[0] in _ASKS_ONLY:
        return False
    if program in _RUNS_SCRIPTS or _SCRIPT_FILE.search(program):
        return True
    if PYTHON.match(program):
        return True
    runners = _SCRIPT_RUNNERS.get(program)
    if runners is not None:
        words = [text for text in texts if text is None or not text.startswith("-")]
        return bool(words) and (words[0] is None or any(_begins(words, one) for one in runners))
    if program == "find":
        return any(text in ("-exec", "-execdir", "-ok") for text in texts) and not _finds(texts)
    if "/" in path and program not in _WRAPPED_TOOLS:
        # A path outside of bin directories is a script, or a program that the build has made, and what a
        # project keeps in one (vendor/bin/install) is not the system's program of that name.
        ours = not path.startswith(("/", "$")) and is_familiar(program)
        return ours or not _IN_BIN.search(path.removeprefix("./"))
    return False


def _begins(words: Sequence[str | None], subcommand: str) -> bool:
    """Tell whether a command line begins with a subcommand, as far as its words are known."""
    parts = subcommand.split()
    return len(words) >= len(parts) and all(
        word is None or word == part for word, part in zip(words, parts, strict=False)
    )


def _finds(texts: Sequence[str | None]) -> bool:
    """Tell whether all that ``find`` executes is familiar."""
    for index, text in enumerate(texts):
        if text in ("-exec", "-execdir", "-ok"):
            program = texts[index + 1] if index + 1 < len(texts) else None
            if program is None or not is_familiar(posixpath.basename(program)):
                return False
    return True
