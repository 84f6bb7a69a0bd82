# SPDX-License-Identifier: Apache-2.0
#
# make help lists the targets: "##" behind a target is its line there, "##@" a heading.
# A step that is long and silent has a line "==>" ahead of it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# What --version prints beside what Go itself notes.
STAMP   := -X github.com/prometheus/common/version
# Functions begin at multiples of 16 bytes, as on arm64: 0.2 MB less than of 32.
LDFLAGS := -s -w -funcalign=16 $(STAMP).Version=$(VERSION) \
	$(STAMP).Branch=$(shell git rev-parse --abbrev-ref HEAD 2>/dev/null) \
	$(STAMP).BuildUser=$(shell id -un) $(STAMP).BuildDate=$(shell date -u +%Y%m%d)
TOOLS   := $(CURDIR)/.tools
# How often each fuzz target runs. A count: go test -fuzz at times fails by its
# own deadline when it is given a time.
FUZZTIME ?= 10000x
# What builds the image.
CONTAINER ?= podman

# How long make soak attacks, and how long each of its storms of processes that end is.
SOAK_FOR   ?= 30m
SOAK_STORM ?= 1m

FLEET_HOSTS    ?= 1000
FLEET_FOR      ?= 10m
# Between scrapes and between evaluations of rules; Prometheus' default is 1m.
FLEET_INTERVAL ?= 30s
# A file for what it measures, which docs/fleet.md is worked out from:
# make fleet FLEET_RECORD=test/mixin/testdata/fleet.json && make generate
FLEET_RECORD   ?=

# Modules of their own, beside the one of landlockd: what they need is none of its
# dependencies. test-deploy is for that of test/deploy, test-panels for that of test/panels.
MODULES := test/browser test/golandlock test/bench/chart

GOLANGCI_LINT_VERSION := v2.15.0
GOTESTSUM_VERSION     := v1.13.0
ACTIONLINT_VERSION    := v1.7.12
GOVULNCHECK_VERSION   := v1.9.0
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOTESTSUM     := $(TOOLS)/gotestsum-$(GOTESTSUM_VERSION)
ACTIONLINT    := $(TOOLS)/actionlint-$(ACTIONLINT_VERSION)
GOVULNCHECK   := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)

export CGO_ENABLED ?= 0

##@ Every day

.PHONY: build
build: ## Build bin/landlockd, a static binary. This is what make does alone.
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/landlockd ./cmd/landlockd

.PHONY: run
run: build ## Build, and serve metrics on http://127.0.0.1:10644/metrics; asks sudo for root.
	@if [ "$$(id -u)" = 0 ]; then exec ./bin/landlockd; \
	elif command -v sudo >/dev/null; then exec sudo ./bin/landlockd; \
	else echo "landlockd needs root, or CAP_BPF and CAP_PERFMON: run ./bin/landlockd as root" >&2; exit 1; fi

# How long the demo lasts.
DEMO_FOR ?= 2m
.PHONY: demo
demo: build ## Show it on sandboxes that are there for it, for DEMO_FOR; asks sudo for root, leaves nothing.
	$(GO) build -trimpath -ldflags '-s -w' -o bin/demo ./test/demo
	@if [ "$$(id -u)" = 0 ]; then exec ./bin/demo -for=$(DEMO_FOR); \
	elif command -v sudo >/dev/null; then exec sudo ./bin/demo -for=$(DEMO_FOR); \
	else echo "the demo needs root: run ./bin/demo as root" >&2; exit 1; fi

# The tests of floods take minutes as root, and programs and kernels are not started here.
.PHONY: check
check: build lint ## The fast checks: build, vet, lint, and the tests that are short. No root is needed.
	@echo "==> vet and short tests; results of packages that did not change are kept"
	$(GO) vet ./...
	$(GO) test -short -skip '^TestMany' -timeout 10m $$($(GO) list ./... | grep -v /test/)

.PHONY: test
test: ## All tests and checks, as CI runs them, what mostly waits beside another; as root on Debian.
	@MAKE='$(MAKE)' test/run.sh setup check-generated lint+test-panels unit race+test-prometheus fuzz+test-deploy test-kernels test-systemd

.PHONY: generate
generate: ## Write generated code and tables again.
	@echo "==> BPF objects, tables of the docs, rules and dashboards: a minute"
	$(GO) generate ./...

.PHONY: hooks
hooks: ## Run .githooks/pre-commit before each commit of this clone.
	git config core.hooksPath .githooks

.PHONY: help
help: ## Show this.
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Parts of make test

.PHONY: setup
setup: ## Install what the tests need, as root on Debian; elsewhere say what is missing.
	@test/setup.sh

.PHONY: check-generated
check-generated: ## Fail if what is generated is not what is committed.
	@echo "==> generate everything and compare: a minute"
	@GO='$(GO)' test/check-generated.sh

.PHONY: lint
lint: $(GOLANGCI_LINT) $(ACTIONLINT) ## Run the linters.
	@echo "==> lint: a minute the first time, seconds later"
	$(GOLANGCI_LINT) run
	@for module in $(MODULES) test/panels; do (cd $$module && $(GOLANGCI_LINT) run); done
	$(ACTIONLINT) .github/workflows/*.yml
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }

# install PATH,MODULE@VERSION builds a program into PATH, once.
define install
	@echo "==> build $(notdir $(1)) once, into .tools; the linter takes some minutes"
	@mkdir -p $(1).new
	GOBIN=$(1).new $(GO) install $(2)
	@mv $(1).new/* $(1) && rmdir $(1).new
endef

$(GOLANGCI_LINT):
	$(call install,$@,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION))

$(GOTESTSUM):
	$(call install,$@,gotest.tools/gotestsum@$(GOTESTSUM_VERSION))

$(ACTIONLINT):
	$(call install,$@,github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION))

$(GOVULNCHECK):
	$(call install,$@,golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION))

# Not in "make test": an unchanged commit may fail from one day to the next, and always does
# where VULNDB cannot be reached. 3 is "vulnerable".
VULNDB ?= https://vuln.go.dev
.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## Look for known vulnerabilities in what the program calls; VULNDB is where they are listed.
	@$(GOVULNCHECK) -db $(VULNDB) ./... || { status=$$?; [ $$status = 3 ] || \
		echo "vulncheck: nothing was checked; if $(VULNDB) cannot be read, VULNDB=URL names a copy of it" >&2; \
		exit $$status; }

# Runs go test, and each test that failed once more; with so many failures, or a race, none.
TESTSUM := $(GOTESTSUM) --format pkgname-and-test-fails --format-icons text --rerun-fails=1 \
	--rerun-fails-max-failures=5 --rerun-fails-run-root-test --rerun-fails-abort-on-data-race

.PHONY: unit
unit: $(GOTESTSUM) ## All tests, on this kernel: as root. Lists the slowest.
	@GO='$(GO)' TESTSUM='$(TESTSUM)' test/unit.sh $(MODULES)

# Where nothing starts a goroutine, neither the package nor its tests, the detector finds nothing.
RACE_STARTS := ^[[:space:]]+go |\.Go\(|\.Parallel\(|httptest|\.Gather\(|testutil
# Of tests that need root, those of goroutines: alone, and with a daemon that has the detector.
# All of them would take the detector half an hour, and floods take it minutes.
RACE_ROOMS := ./internal/api ./internal/confine ./internal/denials/trace ./internal/explain/roots
RACE_E2E   := TestUsualSocket|TestSlowClients|TestHeld|TestForkStorm|TestReload$$|TestStopsOnSignals|TestTLSAndAuthentication
.PHONY: race
race: ## Tests with the race detector, and a daemon that is built with it: as root.
	@echo "==> short tests with the race detector; compiling for it is silent for a minute"
	CGO_ENABLED=1 $(GO) test -count=1 -short -race -vet=off -skip '^TestMany' -timeout 20m \
		$$(git grep -lE '$(RACE_STARTS)' -- '*.go' ':!test' | xargs -n1 dirname | sort -u | \
		sed 's|^|./|' | grep -vxF "$$(printf '%s\n' $(RACE_ROOMS))")
	@echo "==> tests that need root, and those of a daemon with the race detector"
	CGO_ENABLED=1 $(GO) test -count=1 -race -vet=off -p 1 -timeout 20m $(RACE_ROOMS)
	$(GO) test -count=1 -timeout 20m -run '$(RACE_E2E)' ./test/e2e -e2e.race

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME.
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' test/fuzz.sh

.PHONY: test-prometheus
test-prometheus: $(GOTESTSUM) ## Rules, alerts, dashboards and scrapes with Debian's newest Prometheus, 3 or later; unit has the installed one.
	@echo "==> tests of test/mixin with Debian's newest Prometheus, fetched once, into ~/.cache/landlockd"
	$(TESTSUM) --packages ./test/mixin -- -count=1 -timeout 20m -args -prometheus.newer

.PHONY: test-kernels
test-kernels: ## Boot many kernels under QEMU and run the checks in them; as root on Debian. KERNELS_FLAGS=-h lists the flags.
	@echo "==> boot kernels; the first time they are fetched and built for an hour, into ~/.cache/landlockd"
	$(GO) run ./test/kernels/cmd/test-kernels $(KERNELS_FLAGS)

.PHONY: test-systemd
test-systemd: ## Boot Debian with systemd under QEMU and run the checks in it; as root on Debian. SYSTEMD_FLAGS=-h lists the flags.
	@echo "==> boot Debian with systemd"
	$(GO) run ./test/systemd/cmd/test-systemd $(SYSTEMD_FLAGS)

.PHONY: test-deploy
test-deploy: $(GOTESTSUM) ## Build, install and run what deploy/ and Dockerfile ship; as root on Debian.
	@echo "==> packages, image and manifests; helm is built the first time, for some minutes"
	$(GO) -C test/deploy vet ./...
	cd test/deploy && $(TESTSUM) --packages ./... -- -count=1 -timeout 30m

.PHONY: test-panels
test-panels: $(GOTESTSUM) ## Draw each panel of the dashboards in Chromium, over a Prometheus with a simulated fleet; keeps pictures.
	@echo "==> draw the dashboards; what draws them is fetched from npm's registry and built the first time, for a minute or two"
	$(GO) -C test/panels vet ./...
	cd test/panels && $(TESTSUM) --packages ./... -- -count=1 -timeout 60m

##@ Longer measurements

.PHONY: test-series
test-series: ## Check the style of the kernel patches, and that every commit of them compiles without a new warning, in many configurations.
	test/kernels/series.sh $(SERIES)

.PHONY: test-afternoon
test-afternoon: ## Do what docs/adopt.md says, in its own words, in a guest that has never seen landlockd.
	$(GO) run ./test/systemd/cmd/test-systemd -scenarios=afternoon -timeout=50m

.PHONY: test-known
test-known: ## Start programs that sandbox themselves in a Debian guest, and see what "landlockd rules known" says of each.
	$(GO) run ./test/systemd/cmd/test-systemd -scenarios=known -timeout=60m

.PHONY: test-denials
test-denials: ## Count 10 000 denials of each kind, and floods, by audit (6.18, 7.2) and by tracepoints (7.3), in guests.
	$(GO) run ./test/kernels/cmd/test-kernels -boots=default -timeout=30m -jobs=1 -guests='6.18|7.2' -checks=denials:way=audit:n=10000:class=fs,denials:way=audit:n=10000:class=other,denials:way=audit:flood=10000:backlog=64
	$(GO) run ./test/kernels/cmd/test-kernels -boots=default -timeout=30m -jobs=1 -guests=7.3 -checks=denials:n=10000:class=fs,denials:n=10000:class=other,denials:flood=1000000

.PHONY: test-arm64-deb
test-arm64-deb: ## Install the arm64 deb in an arm64 guest with Debian's systemd, use it and purge it; as root on Debian.
	$(GO) run ./test/kernels/cmd/test-kernels -boots=deb -timeout=30m -guests=7.3-arm64

.PHONY: test-selftests
test-selftests: ## Run the kernel's own tests of Landlock in guests, without landlockd and beside it; as root on Debian.
	@echo "==> build the tests of five kernels once, and run them in guests: half an hour"
	$(GO) run ./test/kernels/cmd/test-kernels -boots=selftests -timeout=60m -guests='6.1|6.12|6.18|7.2|7.3' -selftests=deploy/kernel/selftests.md

# Which parts, a regular expression: BENCH=Scrape.
BENCH       ?= .
# Tasks of the populations that scrapes are measured beside.
BENCH_SIZES ?= 100,1000,10000,100000
.PHONY: bench
bench: ## Measure what landlockd takes, hold it to its budgets, and write that to docs/performance.md; as root, on a host that does little else.
	@echo "==> measure beside up to 300 000 threads: half an hour; parts that were measured are written"
	@status=0; $(GO) test -count=1 -timeout 60m -run '^$$' -bench '$(BENCH)' -benchtime=1x ./test/bench \
		-bench.sizes=$(BENCH_SIZES) -bench.record=testdata || status=$$?; $(GO) generate ./test/bench && exit $$status

.PHONY: soak
soak: ## Attack a daemon in every way for SOAK_FOR, and in storms of SOAK_STORM, and hold what it says and takes to what is true and was; as root.
	$(GO) test -count=1 -v -timeout 0 -run '^Test(Soak|Storm)$$' ./test/soak -soak.for=$(SOAK_FOR) -soak.slowest=1s \
		-soak.storm=$(SOAK_STORM)

.PHONY: fleet
fleet: ## Simulate a fleet of FLEET_HOSTS for FLEET_FOR, with a real Prometheus.
	$(GO) test -count=1 -v -timeout 60m -run '^TestFleet$$' ./test/mixin -fleet.hosts=$(FLEET_HOSTS) -fleet.for=$(FLEET_FOR) -fleet.interval=$(FLEET_INTERVAL) -fleet.record=$(abspath $(FLEET_RECORD))

##@ Install and release

.PHONY: install
install: build ## Install the binary below DESTDIR and PREFIX (/usr/local).
	install -D -m 0711 bin/landlockd $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/landlockd

.PHONY: image
image: ## Build the container image of this machine's architecture, with CONTAINER (podman, docker, buildah).
	ARCHES=$$($(GO) env GOARCH) deploy/packaging/release.sh dist binaries
	$(CONTAINER) build -t landlockd --build-arg TARGETARCH=$$($(GO) env GOARCH) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(deploy/packaging/revision.sh) --build-arg CREATED=$$(TZ=UTC0 git log -1 --date=iso-strict-local --format=%cd) .

.PHONY: release
release: ## Build all that is released, for amd64 and arm64, into dist.
	@echo "==> binaries, packages and bills of materials, into dist: some minutes"
	deploy/packaging/release.sh dist

.PHONY: release-notes
release-notes: ## Print the part of CHANGELOG.md about VERSION.
	@deploy/packaging/notes.sh '$(VERSION)' <CHANGELOG.md

.PHONY: lines
lines: ## Count the program's lines of Go: no tests, docs, generated code, comments or blanks.
	@git ls-files '*.go' | grep -vE '_test\.go$$|^(test|docs)/|/targettest/|/object_bpf' | \
		xargs cat | grep -cvE '^\s*(//|$$)'

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin dist
