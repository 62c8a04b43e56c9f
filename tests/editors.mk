# The VS Code extension and the tests in real editors. Included by the top Makefile; runs from there,
# or by itself: make -f tests/editors.mk vsix
PYTHON ?= python3
PYTEST ?= $(PYTHON) -m pytest
CLIENT := client-vscode
EDITORS := tests/editors
# npm writes this file into the tree it made: older than the lock file, the tree is out of date.
CLIENT_READY := $(CLIENT)/node_modules/.package-lock.json
EDITORS_READY := $(EDITORS)/node_modules/.package-lock.json
# What goes into the extension. A file that is taken away needs no look: what named it has changed too.
VSIX := dist/cachekey.vsix
VSIX_SOURCES := $(shell find server/cachekey $(CLIENT) -type f -not -name '*.pyc' \
	-not -path '$(CLIENT)/node_modules/*' -not -path '$(CLIENT)/bundled/*' -not -path '$(CLIENT)/out/*')

.PHONY: vsix client-check editors-setup test-editors screenshots

$(CLIENT_READY) $(EDITORS_READY): %/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

vsix: $(VSIX) ## Build the VS Code extension, dist/cachekey.vsix

$(VSIX): $(READY) $(CLIENT_READY) $(VSIX_SOURCES)
	$(PYTHON) $(CLIENT)/python/bundle.py
	@mkdir -p dist
	cd $(CLIENT) && npm run --silent vsix

client-check: $(CLIENT_READY) ## Lint, types and unit tests of the extension
	cd $(CLIENT) && npm run --silent check

# Status 77: this machine cannot have that editor, and the tests that need it will say so.
editors-setup: $(EDITORS_READY) ## Get the real editors for the tests, once
	@for part in code-server chromium neovim neovim-current emacs; do \
		sh $(EDITORS)/setup.sh $$part || [ $$? = 77 ] || exit 1; \
	done

test-editors: vsix editors-setup ## The tests in the real VS Code, Neovim and Emacs
	$(PYTEST) $(EDITORS)

screenshots: vsix editors-setup ## Renew the README's pictures
	CACHEKEY_SCREENSHOTS=$(CLIENT)/images $(PYTEST) -k "squiggle or minutes" $(EDITORS)/test_vscode_story.py
