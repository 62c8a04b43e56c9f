"""What pages of ours have in common: nothing from anywhere else, the reader's theme, bars and badges.

A page stands by itself in a browser and within an editor, whose colours it takes. Styles and scripts
are allowed by their hashes only; a click on a link is told to the editor that shows the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from zlib import crc32

from cachekey.markup.html import Html, escaped, filled, together

_HUES = 8


def whole(title: str, body: Html) -> Html:
    """Return a page; what it shows can be filtered and sorted, and its links open places."""
    style, script = _style(), _script()
    return filled(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; '
        "style-src &#39;{}&#39;; script-src &#39;{}&#39;; base-uri &#39;none&#39;; "
        'form-action &#39;none&#39;">'
        '<meta name="viewport" content="width=device-width"><title>{}</title><style>{}</style>'
        "</head><body><main>{}</main><script>{}</script></body></html>\n",
        _digest(style),
        _digest(script),
        escaped(title),
        style,
        body,
        script,
    )


def _digest(text: Html) -> Html:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return escaped(f"sha256-{digest}")


def bar(share: float, colour: Html) -> Html:
    """Draw a bar as a part of its column; the figure stands beside it as text."""
    width = max(0.5, min(100.0, 100 * share))
    return filled(
        '<svg class="bar {}" aria-hidden="true"><rect class="track" width="100%" height="100%"/>'
        '<rect class="value" width="{}%" height="100%"/></svg>',
        colour,
        escaped(f"{width:.1f}"),
    )


def colour_of(name: str) -> Html:
    """Give each tool a colour that stays its own, the same as in the cache map."""
    return escaped(f"t{crc32(name.encode()) % _HUES}" if name else "none")


def badge(kind: Html, text: str) -> Html:
    """Return a word that stands out; ``kind`` is ``good``, ``bad`` or ``calm``."""
    return filled('<span class="badge {}">{}</span>', kind, escaped(text))


def place(uri: str, text: str, more: str = "") -> Html:
    """Return a link to a line of a file."""
    return filled(
        '<a href="{}">{}</a><span class="dim">{}</span>',
        escaped(uri),
        escaped(text),
        escaped(f" {more}" if more else ""),
    )


def listed(items: Iterable[Html]) -> Html:
    """Return items below each other."""
    return filled(
        '<ul class="plain">{}</ul>', together(filled("<li>{}</li>", item) for item in items)
    )


def filter_field(hint: str) -> Html:
    """Return a field that hides the rows without its text."""
    return filled(
        '<p><label>Filter <input id="filter" type="search" placeholder="{}"></label>'
        '<span id="count" role="status" class="dim"></span></p>',
        escaped(hint),
    )


def head(name: str, sort: str = "", *, sorted_by: bool = False) -> Html:
    """Return a column's head; with ``sort`` a press of it sorts the rows by that figure."""
    if not sort:
        return filled('<th scope="col">{}</th>', escaped(name))
    return filled(
        '<th scope="col" aria-sort="{}"><button type="button" data-sort="{}">{}</button></th>',
        escaped("descending" if sorted_by else "none"),
        escaped(sort),
        escaped(name),
    )


def _style() -> Html:
    return filled(
        ":root{{color-scheme:light dark;--ink:var(--vscode-foreground,CanvasText);"
        "--paper:var(--vscode-editor-background,Canvas);"
        "--dim:var(--vscode-descriptionForeground,GrayText);"
        "--link:var(--vscode-textLink-foreground,LinkText);"
        "--focus:var(--vscode-focusBorder,Highlight);"
        "--edge:var(--vscode-contrastBorder,color-mix(in srgb,var(--ink) 18%,transparent));"
        "--track:color-mix(in srgb,var(--ink) 9%,transparent);--s:62%;--l:44%;"
        "--good:#1a7f37;--bad:#b35900}}"
        "@media(prefers-color-scheme:dark){{:root{{--l:62%;--good:#57c46b;--bad:#f0a35a}}}}"
        "body.vscode-light,body.vscode-high-contrast-light{{color-scheme:light;--l:44%;"
        "--good:#1a7f37;--bad:#a14f00}}"
        "body.vscode-dark,body.vscode-high-contrast:not(.vscode-high-contrast-light)"
        "{{color-scheme:dark;--l:62%;--good:#57c46b;--bad:#f0a35a}}"
        "body{{margin:0;color:var(--ink);background:var(--paper);"
        "font:13px/1.5 var(--vscode-font-family,system-ui,sans-serif)}}"
        "main{{padding:12px 20px 32px;max-width:1400px}}h1{{font-size:1.5em;font-weight:600;margin:.4em 0 0}}"
        "h2{{font-size:1.1em;font-weight:600;margin:2em 0 .4em}}p{{margin:.3em 0}}"
        ".dim{{color:var(--dim)}}.facts{{display:flex;flex-wrap:wrap;gap:10px;margin:14px 0;padding:0;"
        "list-style:none}}.facts li{{border:1px solid var(--edge);border-radius:6px;padding:4px 12px}}"
        ".facts b{{display:block;font-size:1.35em;font-weight:600}}"
        "table{{border-collapse:collapse;width:100%}}th,td{{text-align:left;vertical-align:top;"
        "padding:7px 14px 7px 0;border-bottom:1px solid var(--edge)}}th{{font-weight:600;color:var(--dim);"
        "white-space:nowrap}}td.key{{font-weight:600;overflow-wrap:anywhere}}"
        "td.key .dim,td.key details{{font-weight:400}}td.figure{{min-width:110px;white-space:nowrap}}"
        "th button{{all:unset;cursor:pointer;color:inherit}}th button:hover{{text-decoration:underline}}"
        "th[aria-sort=descending] button::after{{content:' ↓'}}th[aria-sort=ascending] button::after"
        "{{content:' ↑'}}a{{color:var(--link);text-decoration:none}}a:hover{{text-decoration:underline}}"
        ":focus-visible{{outline:1px solid var(--focus)!important;outline-offset:2px}}"
        "input{{font:inherit;padding:3px 8px;width:22em;color:var(--vscode-input-foreground,FieldText);"
        "background:var(--vscode-input-background,Field);border:1px solid "
        "var(--vscode-input-border,var(--edge));border-radius:3px;margin:0 .7em 0 .3em}}"
        ".plain{{margin:0;padding:0;list-style:none}}"
        ".bar{{display:block;width:100%;height:7px;margin-top:4px;border-radius:3px;overflow:hidden}}"
        ".track{{fill:var(--track)}}.value{{fill:hsl(var(--h) var(--s) var(--l))}}"
        ".none{{--h:0;--s:0%}}.t0{{--h:210}}.t1{{--h:30}}.t2{{--h:140}}.t3{{--h:275}}"
        ".t4{{--h:185}}.t5{{--h:330}}.t6{{--h:55}}.t7{{--h:100}}.age{{--h:210;--s:12%}}"
        ".badge{{display:inline-block;border:1px solid currentColor;border-radius:9px;padding:0 8px;"
        "margin:1px 5px 1px 0;font-size:.9em;font-weight:400;white-space:nowrap}}"
        ".good{{color:var(--good)}}.bad{{color:var(--bad)}}.calm{{color:var(--dim)}}"
        ".broken{{border-left:3px dashed var(--bad);padding-left:8px;color:var(--bad);font-weight:400;"
        "margin-top:3px}}code{{font-family:var(--vscode-editor-font-family,monospace);"
        "overflow-wrap:anywhere;user-select:all}}summary{{cursor:pointer;color:var(--dim)}}"
        "tr[hidden]{{display:none}}@media(max-width:760px){{table,tbody{{display:block}}"
        "thead tr{{display:flex;flex-wrap:wrap}}tbody tr{{display:grid;"
        "grid-template-columns:1fr 1fr;border-bottom:1px solid var(--edge);padding:5px 0}}"
        "td{{border:0;padding:3px 14px 3px 0}}td.key{{grid-column:1/-1}}tr[hidden]{{display:none}}}}"
        "@media(forced-colors:active){{.track{{fill:Canvas;stroke:CanvasText}}.value{{fill:Highlight}}}}"
        "body.vscode-high-contrast .track{{fill:none;stroke:var(--ink);stroke-width:2}}"
        "body.vscode-high-contrast .value{{fill:var(--ink)}}"
    )


def _script() -> Html:
    return filled(
        "const code=typeof acquireVsCodeApi==='function'?acquireVsCodeApi():undefined;"
        "const rows=[...document.querySelectorAll('tr[data-name]')];"
        "const field=document.getElementById('filter');"
        "field?.addEventListener('input',()=>{{const wanted=field.value.toLowerCase();"
        "for(const row of rows)row.hidden=!row.textContent.toLowerCase().includes(wanted);"
        "const left=rows.filter((row)=>!row.hidden).length;"
        "document.getElementById('count').textContent=wanted?`${{left}} of ${{rows.length}}`:'';}});"
        "for(const button of document.querySelectorAll('button[data-sort]')){{"
        "button.addEventListener('click',()=>{{const head=button.closest('th');"
        "const by=button.dataset.sort;const now=head.getAttribute('aria-sort');"
        "const down=by==='name'?now==='ascending':now!=='descending';"
        "for(const other of head.parentElement.children)"
        "if(other.hasAttribute('aria-sort'))other.setAttribute('aria-sort','none');"
        "head.setAttribute('aria-sort',down?'descending':'ascending');"
        "const value=(row)=>row.dataset[by]??'';"
        "const order=(a,b)=>by==='name'?value(a).localeCompare(value(b)):value(a)-value(b);"
        "rows.sort((a,b)=>down?order(b,a):order(a,b));"
        "const body=head.closest('table').tBodies[0];body.append(...rows);}});}}"
        "document.addEventListener('click',(event)=>{{const a=event.target.closest('a');"
        "if(a&&code){{event.preventDefault();code.postMessage({{open:a.getAttribute('href')}});}}}});"
    )
