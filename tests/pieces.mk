# The tests in pieces that run side by side, as many as there are processors, the longest first, so that no processor
# waits long at the end. What a piece says is shown when it has ended.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
LOGS := .cache/tests

# A real VS Code on a busy machine is slow to answer: these come last, by themselves.
VSCODE := $(sort $(wildcard $(EDITORS)/test_vscode_*.py))

# What asks builders runs in one process, which shares them.
builders-tests := tests/buildkit tests/devcontainer
lsp-tests := tests/lsp
fuzz-tests := tests/fuzz
rules-tests := tests/rules
programs-tests := tests/cli tests/house
editors-tests := $(EDITORS) $(VSCODE:%=--ignore=%)
OWN := $(builders-tests) $(lsp-tests) $(fuzz-tests) $(rules-tests) $(programs-tests) $(EDITORS)
rest-tests := $(OWN:%=--ignore=%)
PIECES := builders lsp rest programs editors fuzz rules

.PHONY: beside alone $(PIECES:%=%-piece)
alone: $(READY)
	@$(PYTEST) $(VSCODE)

beside: $(PIECES:%=%-piece) client-check lint

editors-piece: vsix
# Our reader of JSONC is compared with the one that the client brings.
rest-piece: $(CLIENT_READY)
$(PIECES:%=%-piece): %-piece: $(READY)
	@mkdir -p $(LOGS)
	@$(PYTEST) $($*-tests) > $(LOGS)/$*.log 2>&1; status=$$?; cat $(LOGS)/$*.log; exit $$status
