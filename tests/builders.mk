# The real builders that tests/buildkit compares Cachekey with.
.PHONY: builders proof

builders: $(READY) ## Install the builders that this machine can have
	@$(PYTHON) -m tests.buildkit.setup

proof: $(READY) ## Renew the table of what the builders have proven
	@$(PYTHON) -m tests.buildkit.proof
