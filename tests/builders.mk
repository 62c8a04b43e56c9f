# The real builders that tests/buildkit compares Cachekey with.
.PHONY: builders proof mended

builders: $(READY) ## Install the builders that this machine can have
	@$(PYTHON) -m tests.buildkit.setup

proof: $(READY) ## Renew the table of what the builders have proven
	@$(PYTHON) -m tests.buildkit.proof

mended: $(READY) ## Mend copies of the repositories in CORPUS=FOLDER; git, BuildKit's parser and a second statement of keys judge
	@$(PYTHON) -m tests.buildkit.setup oracle
	$(PYTHON) -m tests.buildkit.mended "$(CORPUS)"
	CACHEKEY_CORPUS="$(CORPUS)" $(PYTEST) -q tests/checking/test_promise.py -k test_repositories
