"""What the connected client can do, read once from its capabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lsprotocol import types


@dataclass(frozen=True)
class Abilities:
    """The client's side of the contract; everything is off until it says otherwise."""

    pull: bool = False
    """It asks for diagnostics; otherwise they are pushed. Never both."""
    refresh: bool = False
    lens_refresh: bool = False
    hint_refresh: bool = False
    related: bool = False
    tags: frozenset[int] = frozenset()
    versioned_edits: bool = False
    create_files: bool = False
    annotations: bool = False
    resolve_edits: bool = False
    asks: bool = False
    """It shows messages with buttons."""
    configuration: bool = False
    configuration_events: bool = False
    watch_files: bool = False
    progress: bool = False
    """It shows progress that the server begins."""
    markdown_hover: bool = False
    markdown_completion: bool = False
    suggests_again: bool = False
    """It knows VS Code's command that asks for completions once more."""
    others: bool = False
    """Another server for Dockerfiles is beside us, which says what they all say (``experimental``)."""
    rule_pages: str = ""
    """How the URIs of its pages on rules begin; behind it comes a rule's code (``experimental``)."""
    shows_rules: bool = False
    """It shows the documentation that ``cachekey.explainRule`` answers with (``experimental``)."""
    chooses: bool = False
    """It has the command ``cachekey.silence``, applies edits and asks questions (``experimental``)."""

    @property
    def previews(self) -> bool:
        """Tell whether it shows an edit before it is applied, when one of its changes asks for that."""
        return self.versioned_edits and self.annotations and self.create_files

    @property
    def calm(self) -> bool:
        """Tell whether something can be said later: to others the whole truth is told at once."""
        return self.refresh or not self.pull

    @classmethod
    def of(cls, params: types.InitializeParams) -> Abilities:
        """Read the abilities out of what ``initialize`` says."""
        said = _Said(params.capabilities)
        markdown = types.MarkupKind.Markdown
        return cls(
            # Presence is what counts: an empty ``"diagnostic": {}`` says yes.
            pull=said.names("text_document.diagnostic"),
            refresh=said.yes("workspace.diagnostics.refresh_support"),
            lens_refresh=said.yes("workspace.code_lens.refresh_support"),
            hint_refresh=said.yes("workspace.inlay_hint.refresh_support"),
            related=any(said.yes(f"{kind}.related_information") for kind in _DIAGNOSTICS),
            tags=frozenset(
                int(tag)
                for kind in _DIAGNOSTICS
                for tag in said.each(f"{kind}.tag_support.value_set")
            ),
            versioned_edits=said.yes(f"{_EDIT}.document_changes"),
            create_files=types.ResourceOperationKind.Create
            in said.each(f"{_EDIT}.resource_operations"),
            annotations=said.names(f"{_EDIT}.change_annotation_support"),
            resolve_edits="edit" in said.each(f"{_ACTION}.resolve_support.properties")
            and said.yes(f"{_ACTION}.data_support"),
            asks=said.names("window.show_message.message_action_item"),
            configuration=said.yes("workspace.configuration"),
            configuration_events=said.yes(
                "workspace.did_change_configuration.dynamic_registration"
            ),
            watch_files=said.yes("workspace.did_change_watched_files.dynamic_registration"),
            progress=said.yes("window.work_done_progress"),
            markdown_hover=markdown in said.each("text_document.hover.content_format"),
            markdown_completion=markdown in said.each(f"{_COMPLETION}.documentation_format"),
            suggests_again=params.client_info is not None
            and "visual studio code" in params.client_info.name.lower(),
            others=bool(said.own("others")),
            rule_pages=str(said.own("rulePages") or ""),
            shows_rules=bool(said.own("explainRule")),
            chooses=bool(said.own("silence")) and said.yes("workspace.apply_edit"),
        )


_DIAGNOSTICS = ("text_document.publish_diagnostics", "text_document.diagnostic")
"""Whoever is pushed diagnostics, and whoever pulls them, says here what they may hold."""
_EDIT = "workspace.workspace_edit"
_ACTION = "text_document.code_action"
_COMPLETION = "text_document.completion.completion_item"


@dataclass(frozen=True)
class _Said:
    """A client's capabilities, asked by their dotted names."""

    capabilities: types.ClientCapabilities

    def _find(self, name: str) -> Any:
        value: Any = self.capabilities
        for part in name.split("."):
            value = getattr(value, part, None)
        return value

    def names(self, name: str) -> bool:
        """Tell whether a capability is there, empty or not."""
        return self._find(name) is not None

    def yes(self, name: str) -> bool:
        """Tell whether a capability says yes."""
        return bool(self._find(name))

    def each(self, name: str) -> tuple[Any, ...]:
        """Return the values of a capability that is a list."""
        return tuple(self._find(name) or ())

    def own(self, name: str) -> Any:
        """Return what the client says of our own extension of the protocol."""
        experimental = self.capabilities.experimental
        own = experimental.get("cachekey") if isinstance(experimental, dict) else None
        return own.get(name) if isinstance(own, dict) else None
