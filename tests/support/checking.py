"""Runs the engine on small sets of files, as every test of rules does."""

from __future__ import annotations

from cachekey.checking import engine
from cachekey.finding import Finding, Fix, Safety
from cachekey.text import Edit, Source, apply_edits
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings
from cachekey.workspace.settings_reader import from_toml

from tests.support.markdown import Mark


def make_settings(select: tuple[str, ...] = (), toml: str = "") -> Settings:
    """Make settings from TOML and a selection of rules."""
    written, problems = from_toml(toml)
    assert written is not None, problems
    assert not problems, problems
    settings = written.settings
    if select:
        from dataclasses import replace

        settings = replace(settings, select=select)
    return settings


def make_project(files: dict[str, str], settings: Settings | None = None) -> Project:
    """Put files into a project; every other path of the workspace is missing."""
    project = Project(settings or Settings(), files.get)
    for path, text in files.items():
        project.add(path, text)
    return project


def check(files: dict[str, str], settings: Settings | None = None) -> list[Finding]:
    """Return the findings of all files."""
    project = make_project(files, settings)
    return [item for path in project.documents for item in engine.check(project, path)]


def mark_of(finding: Finding, source: Source) -> Mark:
    """Show a finding as an annotation: clipped to its first line, at least one character wide."""
    line = source.line_of(finding.span.start)
    bounds = source.line_span(line)
    end = min(finding.span.end, bounds.end)
    column = finding.span.start - bounds.start
    return Mark(line, column, max(1, end - finding.span.start), finding.code, finding.message)


def apply_fix(files: dict[str, str], fix: Fix) -> dict[str, str]:
    """Apply one fix to the files."""
    result = dict(files)
    by_path: dict[str, list[Edit]] = {}
    for item in fix.edits:
        by_path.setdefault(item.path, []).append(item.edit)
    for path, edits in by_path.items():
        result[path] = apply_edits(files[path], edits)
    return result


def fix_all(
    files: dict[str, str], level: Safety, settings: Settings | None = None
) -> dict[str, str]:
    """Apply fixes up to a safety level until nothing more can be mended."""
    allowed = {Safety.SAFE} if level is Safety.SAFE else {Safety.SAFE, Safety.UNSAFE}
    for _ in range(30):
        for finding in check(files, settings):
            fixes = [fix for fix in finding.fixes if fix.safety in allowed]
            fixes.sort(key=lambda fix: (not fix.preferred, fix.safety is not Safety.SAFE))
            if fixes:
                changed = apply_fix(files, fixes[0])
                if changed != files:
                    files = changed
                    break
        else:
            return files
    raise AssertionError("fixes do not come to an end")
