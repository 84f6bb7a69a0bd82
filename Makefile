# SPDX-License-Identifier: Apache-2.0
#
# make run    build and start landlockd here (asks sudo for root if need be)
# make test   everything that CI runs; as root on Debian it installs what the
#             tests need first

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
TOOLS   := $(CURDIR)/.tools
# How often each fuzz target runs. A count: go test -fuzz at times fails by its
# own deadline when it is given a time.
FUZZTIME ?= 10000x
# What builds the image.
CONTAINER ?= podman

FLEET_HOSTS    ?= 1000
FLEET_FOR      ?= 10m
# Between scrapes and between evaluations of rules; Prometheus' default is 1m.
FLEET_INTERVAL ?= 30s
# A file for what it measures, which docs/fleet.md is worked out from:
# make fleet FLEET_RECORD=test/mixin/testdata/fleet.json && make generate
FLEET_RECORD   ?=

# Modules of their own, beside the one of landlockd: what they need is none of its
# dependencies. test-deploy is for that of test/deploy.
MODULES := test/golandlock

GOLANGCI_LINT_VERSION := v2.15.0
GOTESTSUM_VERSION     := v1.13.0

export CGO_ENABLED ?= 0

.PHONY: build
build: ## Build bin/landlockd, a static binary.
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/landlockd ./cmd/landlockd

.PHONY: run
run: build ## Build and serve metrics on http://127.0.0.1:10644/metrics.
	@if [ "$$(id -u)" = 0 ]; then exec ./bin/landlockd; \
	elif command -v sudo >/dev/null; then exec sudo ./bin/landlockd; \
	else echo "landlockd needs root, or CAP_BPF and CAP_PERFMON: run ./bin/landlockd as root" >&2; exit 1; fi

.PHONY: install
install: build ## Install the binary below DESTDIR and PREFIX (/usr/local).
	install -D -m 0711 bin/landlockd $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/landlockd

.PHONY: test
test: ## Run all tests and checks, and say how far it is.
	@MAKE='$(MAKE)' test/run.sh setup check-generated lint unit race fuzz test-kernels test-systemd test-deploy

.PHONY: setup
setup: ## As root on Debian: install what the tests need.
	@test/setup.sh

.PHONY: unit
unit: $(TOOLS)/gotestsum-$(GOTESTSUM_VERSION) ## All tests, on this kernel: as root. Lists the slowest.
	@GO='$(GO)' GOTESTSUM=$(abspath $<) test/unit.sh $(MODULES)

.PHONY: race
race: ## What runs without privileges, with the race detector.
	CGO_ENABLED=1 $(GO) test -count=1 -short -race -timeout 20m $$($(GO) list ./... | grep -v /test/)

.PHONY: test-kernels
test-kernels: ## Boot many kernels under QEMU and run the checks in them; as root on Debian.
	$(GO) run ./test/kernels/cmd/test-kernels $(KERNELS_FLAGS)

.PHONY: test-denials
test-denials: ## Count 10 000 denials of each kind, and floods, by audit (6.18, 7.2) and by tracepoints (7.3), in guests.
	$(GO) run ./test/kernels/cmd/test-kernels -boots=default -timeout=30m -jobs=1 -guests='6.18|7.2' -checks=denials:way=audit:n=10000:class=fs,denials:way=audit:n=10000:class=other,denials:way=audit:flood=10000:backlog=64
	$(GO) run ./test/kernels/cmd/test-kernels -boots=default -timeout=30m -jobs=1 -guests=7.3 -checks=denials:n=10000:class=fs,denials:n=10000:class=other,denials:flood=1000000

.PHONY: test-systemd
test-systemd: ## Boot Debian with systemd under QEMU and run the checks in it; as root on Debian.
	$(GO) run ./test/systemd/cmd/test-systemd $(SYSTEMD_FLAGS)

.PHONY: fleet
fleet: ## Simulate a fleet of FLEET_HOSTS for FLEET_FOR, with a real Prometheus.
	$(GO) test -count=1 -v -timeout 60m -run '^TestFleet$$' ./test/mixin -fleet.hosts=$(FLEET_HOSTS) -fleet.for=$(FLEET_FOR) -fleet.interval=$(FLEET_INTERVAL) -fleet.record=$(abspath $(FLEET_RECORD))

.PHONY: release
release: ## Build all that is released, for amd64 and arm64, into dist.
	deploy/packaging/release.sh dist

.PHONY: image
image: ## Build the container image of this machine's architecture, with CONTAINER (podman, docker, buildah).
	ARCHES=$$($(GO) env GOARCH) deploy/packaging/release.sh dist binaries
	$(CONTAINER) build -t landlockd --build-arg TARGETARCH=$$($(GO) env GOARCH) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git rev-parse HEAD) --build-arg CREATED=$$(TZ=UTC0 git log -1 --date=iso-strict-local --format=%cd) .

.PHONY: test-deploy
test-deploy: ## Build, install and run what deploy/ and Dockerfile ship; as root on Debian.
	$(GO) -C test/deploy vet ./...
	$(GO) -C test/deploy test -count=1 -timeout 30m ./...

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME.
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' test/fuzz.sh

.PHONY: generate
generate: ## Write generated code and tables again.
	$(GO) generate ./...

.PHONY: check-generated
check-generated: ## Fail if what is generated is not what is committed.
	@test/check-generated.sh

.PHONY: lint
lint: $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION) ## Run the linters.
	$< run
	@for module in $(MODULES); do (cd $$module && $(abspath $<) run); done
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }

$(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv $(TOOLS)/golangci-lint $@

$(TOOLS)/gotestsum-$(GOTESTSUM_VERSION):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install gotest.tools/gotestsum@$(GOTESTSUM_VERSION)
	@mv $(TOOLS)/gotestsum $@

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin dist

.PHONY: help
help: ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18
