"""What a devcontainer.json builds."""

from __future__ import annotations

from cachekey.builds.invocation import Invocation, Said
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.substitution import literal
from cachekey.text import where_of

_DECIDES = {"--platform": "platforms", "--build-arg": "args", "--target": "target"}


def devcontainer_build(document: Devcontainer) -> tuple[Invocation, ...]:
    """Return the build of a devcontainer.json; none when it builds none of the workspace."""
    target = document.build_target
    if target is None or target.path is None:
        return ()
    node = document.build.get("args") if document.build else None
    args: dict[str, Said] = {}
    for member in node.effective() if node is not None else ():
        if member.value is not None:
            args[member.key.text] = Said(literal(member.value.text), member.value.span.fixed)
    opened = {
        aspect
        for option in document.build_options
        for flag, aspect in _DECIDES.items()
        if option.text is not None and option.text.text.startswith(flag)
    }
    file = Said(target.path, target.span.fixed)
    stage = document.build.string("target") if document.build else None
    return (
        Invocation(
            path=document.path,
            kind="devcontainer",
            name="",
            span=target.span.fixed,
            where=where_of(document.source, target.span),
            folder=target.context,
            dockerfile=target.path,
            file=file,
            args=tuple(args.items()),
            target=None if stage is None else Said(literal(stage), stage.span().fixed),
            open=frozenset(opened),
        ),
    )
