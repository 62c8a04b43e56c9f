"""Where text leaves the house: each exit is a module with its own type and its own escaping.

A workspace is written by anybody: an id, a folder's name, a value of a setting may hold a link, an
image, HTML, a terminal's escapes, a command of a build's log. Inside, text is ``str`` and says what
the file says. An exit takes its own type only, and only the makers in this room give it: text that
has not passed one of them does not pass the type checker.

=============  ==============================  ============================================
module         type                            shown by
=============  ==============================  ============================================
message        :data:`~message.Message`        diagnostics, titles, labels, pop-ups
rich           :class:`~rich.Rich`             composed text, whatever will show it
markdown       :data:`~markdown.Markdown`,     hovers, documentation of completions
               :data:`~markdown.Plain`
terminal       :data:`~terminal.Terminal`,     terminals and logs of builds; ``listing`` writes
               :data:`~terminal.Output`        rich text for them
annotation     ``Output``                      GitHub Actions
data           ``Output``                      programs: JSON, SARIF
xml            ``Output``                      programs: JUnit's reports
html           :data:`~html.Html`              browsers: HTML, SVG
=============  ==============================  ============================================
"""
