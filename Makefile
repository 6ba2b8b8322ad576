# Thin: each target is one command. What they do lives in src/cli/ and package.json.
SHELL := /bin/sh
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
installed := node_modules/.package-lock.json
# What was compiled is kept from its first module on: Node then needs no stripper of types.
synthdb := NODE_COMPILE_CACHE=node_modules/.cache/synthdb node src/cli/main.ts

$(installed): package.json package-lock.json
	@echo 'Installing dependencies…'
	@# Not `npm ci`: it refuses a lock file in which optional binaries for other platforms are absent.
	@npm install --no-save --loglevel=error --no-audit --no-fund
	@touch $@

.PHONY: migrate-up migrate-down migrate-redo migrate-status migrate-plan migrate-create migrate-check migrate-baseline db-start db-stop db-reset db-url demo test test-containers example bench docs check build format help

migrate-up: $(installed) ## apply every pending migration
	@$(synthdb) migrate up

migrate-down: $(installed) ## revert the migration applied last
	@$(synthdb) migrate down

migrate-redo: $(installed) ## revert the migration applied last, and apply it again
	@$(synthdb) migrate redo

migrate-status: $(installed) ## list the migrations, applied and pending
	@$(synthdb) migrate status

migrate-plan: $(installed) ## print the SQL that migrate-up would send; to revert: direction=down
	@$(synthdb) migrate plan $(direction)

migrate-create: $(installed) ## write a migration from changed entities: make migrate-create name=add_tags
	@$(synthdb) migrate create $(or $(name),$(error say its name: make migrate-create name=add_tags))

migrate-check: $(installed) ## compare database, migrations and entities, and name each difference
	@$(synthdb) migrate check

migrate-baseline: $(installed) ## note an existing, equal schema as migrated: make migrate-baseline name=MigrationX
	@$(synthdb) migrate baseline $(or $(name),$(error say where it is: make migrate-baseline name=MigrationX))

db-start: $(installed) ## start the embedded PostgreSQL
	@$(synthdb) db start

db-stop: $(installed) ## stop it; its data stays
	@$(synthdb) db stop

db-reset: $(installed) ## delete it with all its data, and make it anew
	@$(synthdb) db reset $(if $(yes),--yes)

db-url: $(installed) ## print its URL
	@$(synthdb) db url

demo: $(installed) ## store a realistic experiment and print what was stored
	@$(synthdb) demo

test: $(installed) ## run the whole suite, or only=test/schema of it
	@vitest run $(only)

test-containers: $(installed) ## run it on PostgreSQL in a container (POSTGRES_IMAGE, default postgres:18)
	@TEST_POSTGRES=container vitest run $(only)

example: build ## run the example service on port 3000
	@node examples/service/main.ts

bench: $(installed) ## measure every workload against the hand-written driver
	@node bench/main.ts

docs: $(installed) ## write docs/repositories.md and the table of docs/connections.md
	@node docs/generate-repositories.ts
	@node docs/generate-connections.ts

check: $(installed) ## format, lint, types, unused code
	@npm run --silent check

format: $(installed) ## format the sources
	@oxfmt .

build: $(installed) ## compile to dist/
	@npm run --silent build

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
