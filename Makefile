# Each target is one command. The work is done in src/cli/ and package.json.
SHELL := /bin/sh
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
downloaded := node_modules/.package-lock.json
# Node runs the TypeScript of src directly, and the compiled JavaScript of packages/migrator.
migrator := packages/migrator/dist/index.js
installed := $(downloaded) $(migrator)
# With the cache in the environment, Node also caches the first module, and does not load its TypeScript compiler.
synthdb = NODE_COMPILE_CACHE=node_modules/.cache/synthdb \
  SYNTHDB_INVOKED_BY='make $@ $(filter $(given),$(takes_$@))' node src/cli/main.ts

# The variables of each target, as in `make migrate-down steps=2`. lock_wait= is the option --lock-wait.
takes_migrate-up := to optional allow_out_of_order allow_ahead refuse_drift lock_wait json
takes_migrate-down := to steps all optional confirm lock_wait json
takes_migrate-redo := confirm lock_wait json
takes_migrate-status := exit_code certificates json
takes_migrate-plan := direction to steps all optional allow_out_of_order allow_ahead refuse_drift from forecast json
takes_migrate-create := name rename drop lossy rename_column contract no_verify json
takes_migrate-check := json
takes_migrate-lint := all rows json
takes_migrate-verify := pending traffic traffic_old traffic_new certificate rows json
takes_migrate-squash := to name json
takes_migrate-baseline := name optional confirm lock_wait json
takes_migrate-history := limit json
takes_migrate-repair := action name reason confirm lock_wait json
takes_migrate-purge := older_than confirm lock_wait json
takes_db-reset := confirm
takes_demo := json
takes_test := only
takes_test-containers := only
switches := all pending traffic forecast no_verify allow_out_of_order allow_ahead refuse_drift exit_code json

# The variables on make's command line. Names in capitals are settings for the environment.
letters := a b c d e f g h i j k l m n o p q r s t u v w x y z
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$(if $(strip \
  $(foreach letter,$(letters),$(findstring $(letter),$v))),$v)))
goals := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
taken := $(foreach goal,$(goals),$(takes_$(goal)))
shown = $(foreach v,$1,$v=$(if $(filter $v,$(switches)),1))
capitals := TO STEPS ALL CONFIRM JSON FROM DIRECTION NAME ONLY LOCK_WAIT ALLOW_OUT_OF_ORDER ALLOW_AHEAD REFUSE_DRIFT EXIT_CODE RENAME DROP LOSSY RENAME_COLUMN CONTRACT \
  LIMIT ACTION REASON OLDER_THAN PENDING CERTIFICATE ROWS FORECAST TRAFFIC TRAFFIC_OLD TRAFFIC_NEW
loud := $(strip $(foreach v,$(capitals),$(if $(filter command,$(firstword $(origin $v))),$v)))
$(if $(loud),$(error $(loud:%=%=) would be ignored; write variables in lower case))
unknown := $(filter-out $(taken),$(given))
$(if $(unknown),$(error unknown variable $(unknown:%=%=) for make $(goals)$(if $(taken),; expected: $(call shown,$(taken)))))
$(foreach v,$(given),$(if $(strip $(value $v)),,$(error $v= is empty; give it a value, or remove it)))
$(foreach v,$(filter $(switches),$(given)),$(if $(filter-out x1x,x$(value $v)x),\
  $(error $v=$(value $v) is invalid; use $v=1, or remove it)))
# Values are passed in the environment, because the shell would execute code in the text of a recipe. `value` keeps make from expanding them.
$(foreach v,$(given),$(eval unexport $v)$(eval export SYNTHDB_MAKE_$v = $$(value $v)))
options = $(foreach v,$(filter-out direction action name,$(filter $(given),$(takes_$@))),--$(subst _,-,$v)$(if \
  $(filter $v,$(switches)),,="$$SYNTHDB_MAKE_$v"))
required = $(if $(filter $1,$(given)),"$$SYNTHDB_MAKE_$1",$(error $1= is missing; for example make $@ $1=$2))
named = $(call required,name,$1)

$(downloaded): package.json packages/migrator/package.json package-lock.json
	@# Standard output belongs to the target: programs read the output of json=1.
	@echo 'Installing dependencies…' >&2
	@# Not `npm ci`: it refuses a lock file in which optional binaries for other platforms are absent.
	@npm install --no-save --loglevel=error --no-audit --no-fund >&2
	@touch $@

$(migrator): packages/migrator/tsconfig.build.json $(shell find packages/migrator/src -type f) | $(downloaded)
	@npm run --silent build --workspace packages/migrator >&2

.PHONY: migrate-up migrate-down migrate-redo migrate-status migrate-plan migrate-create migrate-check migrate-lint migrate-verify migrate-squash migrate-baseline migrate-history migrate-repair migrate-purge db-start db-stop db-reset db-url demo test test-all test-containers example bench bench-growth bench-peers docs schema check build format help

migrate-up: $(installed) ## apply every pending migration, and optional ones that are named
	@$(synthdb) migrate up $(options)

migrate-down: $(installed) ## revert the migration applied last
	@$(synthdb) migrate down $(options)

migrate-redo: $(installed) ## revert the migration applied last, and apply it again
	@$(synthdb) migrate redo $(options)

migrate-status: $(installed) ## list the migrations, applied and pending
	@$(synthdb) migrate status $(options)

migrate-plan: $(installed) ## print the SQL that migrate-up (or, with direction=down, migrate-down) would send
	@$(synthdb) migrate plan $(options) $(if $(filter direction,$(given)),"$$SYNTHDB_MAKE_direction")

migrate-create: $(installed) ## create a migration from changed entities: make migrate-create name=add_tags
	@$(synthdb) migrate create $(options) -- $(call named,add_tags)

migrate-check: $(installed) ## compare database, migrations and entities, and list the differences
	@$(synthdb) migrate check $(options)

migrate-lint: $(installed) ## report what pending migrations lock, and safe forms
	@$(synthdb) migrate lint $(options)

migrate-verify: $(installed) ## run migrations up and down with generated rows, and compare schema and rows
	@$(synthdb) migrate verify $(options)

migrate-squash: $(installed) ## replace old migrations by one: make migrate-squash to=MigrationX
	@$(synthdb) migrate squash $(options) $(if $(filter name,$(given)),--name="$$SYNTHDB_MAKE_name")

migrate-baseline: $(installed) ## record an existing, equal schema as migrated: make migrate-baseline name=MigrationX
	@$(synthdb) migrate baseline $(options) -- $(call named,MigrationX)

migrate-history: $(installed) ## list what was run, newest first
	@$(synthdb) migrate history $(options)

migrate-repair: $(installed) ## correct what is recorded of one migration: make migrate-repair action=accept name=MigrationX reason='…'
	@$(synthdb) migrate repair $(options) -- $(call required,action,accept) $(call named,MigrationX)

migrate-purge: $(installed) ## drop what migrations have parked: make migrate-purge older_than='30 days'
	@$(synthdb) migrate purge $(options)

db-start: $(installed) ## start the embedded PostgreSQL
	@$(synthdb) db start

db-stop: $(installed) ## stop it; its data is kept
	@$(synthdb) db stop

db-reset: $(installed) ## delete it with all its data, and create it again
	@$(synthdb) db reset $(options)

db-url: $(installed) ## print its URL
	@$(synthdb) db url

demo: $(installed) ## store a sample experiment and print its rows
	@$(synthdb) demo $(options)

test: $(installed) ## run the quick tests, or every test of some files: only=test/schema
	@vitest run $(if $(filter only,$(given)),$$SYNTHDB_MAKE_only,--exclude='**/*.slow.test.ts')

test-all: $(installed) ## run all tests, as CI does
	@vitest run

test-containers: $(installed) ## run the tests on PostgreSQL in a container (POSTGRES_IMAGE, default postgres:18)
	@TEST_POSTGRES=container vitest run $$SYNTHDB_MAKE_only

example: build ## run the example service on port 3000
	@node examples/service/main.ts

bench: build ## measure every workload against the hand-written driver
	@node bench/main.ts

bench-growth: $(installed) ## time every list, page and statistic among ten times as many rows
	@node bench/growth/main.ts

bench-peers: $(installed) ## measure every workload by other libraries too, which it installs into bench/peers
	@cd bench/peers && npm install --no-save --loglevel=error --no-audit --no-fund >&2
	@# Its engine for schemas, which is not used, would be downloaded. The bench leaves Prisma out where this fails.
	@-cd bench/peers && PRISMA_SCHEMA_ENGINE_BINARY="$$(command -v true)" node_modules/.bin/prisma generate >/dev/null
	@node bench/peers/main.ts

docs: $(installed) ## write docs/repositories.md and the table of docs/connections.md
	@node docs/generate-repositories.ts
	@node docs/generate-connections.ts

schema: $(installed) ## write docs/schema.sql from a migrated database
	@node docs/generate-schema.ts

check: $(installed) ## format, lint, types, unused code
	@npm run --silent check

format: $(installed) ## format the sources
	@oxfmt .

build: $(installed) ## compile to dist/
	@npm run --silent build

help: ## list the targets
	@awk -F ' := |:.*## ' '/^takes_/ { takes[substr($$1, 7)] = $$2 } /^switches/ { gsub(/ /, "|", $$2); switches = "^(" $$2 ")$$" } \
	  /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2; count = split(takes[$$1], taken, " "); line = ""; \
	    for (i = 1; i <= count; i++) line = line " " taken[i] "=" (taken[i] ~ switches ? "1" : ""); \
	    if (count) printf "  %22s[%s]\n", "", substr(line, 2) }' $(MAKEFILE_LIST)
