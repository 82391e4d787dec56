# `make demo` shows the product, `make test` checks it. Both install what they need.
BIN := .venv/bin

.PHONY: install demo run test lint bench lock

install: .venv/run.done

.venv/run.done: requirements/run.txt scripts/install
	scripts/install run

.venv/dev.done: requirements/run.txt requirements/dev.txt scripts/install
	scripts/install dev

# The embedded database with the example workspaces.
demo: .venv/dev.done
	$(BIN)/kept demo

run: .venv/run.done
	$(BIN)/kept serve

# Every test, once on SQLite and once on PostgreSQL. ARGS goes to pytest.
test: .venv/dev.done
	scripts/test $(ARGS)

lint: .venv/dev.done
	scripts/lint

# Every figure that the README quotes.
bench: .venv/dev.done
	scripts/components postgresql
	scripts/postgres $(BIN)/python -m bench $(ARGS)

# Renews the locked versions; commit what changes.
lock: .venv/dev.done
	scripts/lock
