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
        capabilities = params.capabilities

        def find(name: str) -> Any:
            value: Any = capabilities
            for part in name.split("."):
                value = getattr(value, part, None)
            return value

        def has(name: str) -> bool:
            return bool(find(name))

        def each(name: str) -> tuple[Any, ...]:
            return tuple(find(name) or ())

        markdown = types.MarkupKind.Markdown
        item = "text_document.completion.completion_item"
        return cls(
            # Presence is what counts: an empty ``"diagnostic": {}`` says yes.
            pull=find("text_document.diagnostic") is not None,
            refresh=has("workspace.diagnostics.refresh_support"),
            lens_refresh=has("workspace.code_lens.refresh_support"),
            hint_refresh=has("workspace.inlay_hint.refresh_support"),
            related=has("text_document.publish_diagnostics.related_information")
            or has("text_document.diagnostic.related_information"),
            tags=frozenset(
                int(tag)
                for tag in (
                    *each("text_document.publish_diagnostics.tag_support.value_set"),
                    *each("text_document.diagnostic.tag_support.value_set"),
                )
            ),
            versioned_edits=has("workspace.workspace_edit.document_changes"),
            create_files=types.ResourceOperationKind.Create
            in each("workspace.workspace_edit.resource_operations"),
            annotations=find("workspace.workspace_edit.change_annotation_support") is not None,
            resolve_edits="edit" in each("text_document.code_action.resolve_support.properties")
            and has("text_document.code_action.data_support"),
            asks=find("window.show_message.message_action_item") is not None,
            configuration=has("workspace.configuration"),
            configuration_events=has("workspace.did_change_configuration.dynamic_registration"),
            watch_files=has("workspace.did_change_watched_files.dynamic_registration"),
            progress=has("window.work_done_progress"),
            markdown_hover=markdown in each("text_document.hover.content_format"),
            markdown_completion=markdown in each(f"{item}.documentation_format"),
            suggests_again=params.client_info is not None
            and "visual studio code" in params.client_info.name.lower(),
            others=bool(_own(capabilities.experimental, "others")),
            rule_pages=str(_own(capabilities.experimental, "rulePages") or ""),
            shows_rules=bool(_own(capabilities.experimental, "explainRule")),
            chooses=bool(_own(capabilities.experimental, "silence"))
            and has("workspace.apply_edit"),
        )


def _own(experimental: Any, name: str) -> Any:
    own = experimental.get("cachekey") if isinstance(experimental, dict) else None
    return own.get(name) if isinstance(own, dict) else None
