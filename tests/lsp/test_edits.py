"""Edits over several files, and documents that are not open."""

from __future__ import annotations

from pathlib import Path

from cachekey.finding import FileEdit
from cachekey.lsp.abilities import Abilities
from cachekey.lsp.edits import shows_first, workspace_edit
from cachekey.lsp.session import Session
from cachekey.text import Edit, Span
from lsprotocol import types

EDITS = (
    FileEdit("a/Dockerfile", Edit(Span(5, 6), "b")),
    FileEdit("z/Dockerfile", Edit(Span(0, 0), "# é\n")),
    FileEdit("a/Dockerfile", Edit(Span(7, 7), "RUN x\n")),
)


def session(root: Path, abilities: Abilities) -> Session:
    made = Session()
    made.abilities = abilities
    area = made.add_folder(root.as_uri())
    assert area is not None
    document = made.open((root / "a/Dockerfile").as_uri(), "dockerfile", 7, "FROM a\n")
    assert document is not None
    made.read(document)
    (root / "z").mkdir()
    (root / "z/Dockerfile").write_text("FROM z\n")
    area.add_file("z/Dockerfile", "FROM z\n")
    return made


def test_open_documents_have_versions_and_files_have_none(tmp_path: Path) -> None:
    made = session(tmp_path, Abilities(versioned_edits=True, annotations=True))
    edit = workspace_edit(made, made.areas[0], EDITS)
    assert edit is not None
    assert edit.changes is None
    assert edit.change_annotations is None
    changes = edit.document_changes
    assert [(c.text_document.uri, c.text_document.version, len(c.edits)) for c in changes] == [
        ((tmp_path / "a/Dockerfile").as_uri(), 7, 2),
        ((tmp_path / "z/Dockerfile").as_uri(), None, 1),
    ]


SHOWING = Abilities(versioned_edits=True, annotations=True, create_files=True)


def test_only_a_change_of_nothing_asks_for_a_yes(tmp_path: Path) -> None:
    """VS Code ticks the boxes of all changes but of those that want to be confirmed."""
    made = session(tmp_path, SHOWING)
    edit = workspace_edit(made, made.areas[0], EDITS, choose="Choose among them")
    assert edit is not None
    ((name, note),) = edit.change_annotations.items()
    assert note.needs_confirmation
    *changes, nothing = edit.document_changes
    edits = [item for change in changes for item in change.edits]
    assert [item.annotation_id for item in edits if hasattr(item, "annotation_id")] == []
    assert len(edits) == len(EDITS)
    assert isinstance(nothing, types.CreateFile)
    assert nothing.annotation_id == name
    assert nothing.uri == (tmp_path / "a/Dockerfile").as_uri()
    assert nothing.options == types.CreateFileOptions(ignore_if_exists=True)


def test_of_what_was_never_saved_nothing_is_shown_first() -> None:
    made = Session()
    made.abilities = SHOWING
    document = made.open("untitled:Untitled-1", "dockerfile", 1, "FROM a\n")
    assert document is not None
    made.read(document)
    assert not shows_first(made, document.area)
    change = FileEdit(document.path, Edit(Span(5, 6), "b"))
    edit = workspace_edit(made, document.area, [change], choose="Choose among them")
    assert edit is not None
    assert edit.change_annotations is None


def test_the_plain_form(tmp_path: Path) -> None:
    made = session(tmp_path, Abilities(annotations=True))
    edit = workspace_edit(made, made.areas[0], EDITS, choose="Choose among them")
    assert edit is not None
    assert edit.document_changes is None
    assert edit.change_annotations is None
    assert {uri.rpartition("/")[0]: len(items) for uri, items in edit.changes.items()} == {
        (tmp_path / "a").as_uri(): 2,
        (tmp_path / "z").as_uri(): 1,
    }


def test_a_document_that_nobody_knows_is_not_edited(tmp_path: Path) -> None:
    made = session(tmp_path, Abilities())
    unknown = FileEdit("elsewhere/Dockerfile", Edit(Span(0, 0), "x"))
    assert workspace_edit(made, made.areas[0], [*EDITS, unknown]) is None
