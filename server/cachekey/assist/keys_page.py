"""What is true of the key of every cache mount: a page that hovers point to."""

from __future__ import annotations

NAME = "keys"
"""What the page is called where rules are called by their codes."""

PAGE = """\
# How the key of a cache mount works

A cache mount keeps a directory on the builder from one build to the next. Which directory, its key decides:
mounts with one key share one cache, all others have caches of their own.

## What is in the key
- the `id`, or else the target as it is written (cleaned of `//`, `.` and a final slash);
- `from=`, if it is written;
- `uid`, `gid` and `mode`, if they are written: a new owner is a new cache (beside `source=` they do nothing);
- the namespace of the build (`BUILDKIT_CACHE_MOUNT_NS`).

## What is not
User, stage, image, Dockerfile, project, platform, `sharing` and `source=`; and the target, once there is an
`id`. Two projects of one builder that mount `/root/.cache/pip` without an `id` share one cache.

## Who may write
A new cache belongs to root, mode 0755, unless `uid`, `gid` and `mode` say otherwise. They count when the
cache is made; an older one keeps its owner.

## How long it lives
On this builder, during builds only: never in the image, not in `--cache-to`, and gone with the builder. Fresh
CI runners begin without it. It is emptied by `docker builder prune`, by `--no-cache`, and when the builder
needs room.

## Podman and Buildah
There the key is the cleaned `id`, or else the cleaned target, with `source=` if it is written, and nothing
else (setting `engine`). Newer versions empty it by `buildah prune`; `--no-cache` leaves it alone.

## Source
BuildKit `dockerfile2llb/convert_runmount.go`; Dockerfile reference, `RUN --mount=type=cache`.
"""
