# The tests in pieces that run side by side, the longest first, so that no processor waits long at the end. One more than
# there are processors, since most of them wait at times: for a builder, for a pause in typing, for an editor. What a
# piece says is shown when it has ended.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)
LOGS := .cache/tests

VSCODE := $(sort $(wildcard $(EDITORS)/test_vscode_*.py))

# What asks builders runs in one process, which shares them.
builders-tests := tests/buildkit tests/devcontainer
story-tests := $(EDITORS)/test_vscode_story.py
windows-tests := $(filter-out $(story-tests),$(VSCODE))
lsp-tests := tests/lsp
fuzz-tests := tests/fuzz
rules-tests := tests/rules
programs-tests := tests/cli tests/house
editors-tests := $(EDITORS) $(VSCODE:%=--ignore=%)
OWN := $(builders-tests) $(lsp-tests) $(fuzz-tests) $(rules-tests) $(programs-tests) $(EDITORS)
rest-tests := $(OWN:%=--ignore=%)
PIECES := builders story lsp rest windows programs editors fuzz rules

.PHONY: beside alone $(PIECES:%=%-piece)
alone: vsix ## The real VS Code by itself
	@$(PYTEST) $(VSCODE)

beside: $(PIECES:%=%-piece) client-check lint

editors-piece story-piece windows-piece: $(VSIX)
# Our reader of JSONC is compared with the one that the client brings.
rest-piece: $(CLIENT_READY)
$(PIECES:%=%-piece): %-piece: $(READY)
	@mkdir -p $(LOGS)
	@$(PYTEST) $($*-tests) > $(LOGS)/$*.log 2>&1; status=$$?; cat $(LOGS)/$*.log; exit $$status
