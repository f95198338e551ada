# oceaninv: one-line targets. `make run` and `make test` work on a fresh machine
# that has Go, make and a package manager.

GO      ?= go
BIN     := bin/oceaninv
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

# Packages tested at a time: one more than there are processors, for some wait for
# clocks and clusters. The longest start first, so that none is left to the end.
PACKAGES = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
LONG     := ./workflow/executor/slurm/slurmtest ./cmd/oceaninv ./pipelines/stages ./workflow
RACED    := ./workflow/... ./surrogate/train/... ./inversion/... ./pipelines/...

.PHONY: all deps deps-test build run results test gradients race fuzz chaos bench lint clean

all: build

deps: ## install the system packages that are missing
	@sh .ci/deps.sh

deps-test: ## install what only the tests need: a SLURM for its executor
	@sh .ci/deps-test.sh

build: deps ## build bin/oceaninv
	@mkdir -p bin
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/oceaninv

run: build ## the quickstart: a real ocean to a checked posterior
	$(BIN) run pipelines/quickstart.hcl

results: build ## the case studies at full size, every method, into RESULTS.md; RESULTS_OPTIONS="--var scale=small" tries it
	@sh .ci/results.sh $(BIN) $(RESULTS_OPTIONS)

test: build deps-test ## vet, every test, the fuzz seeds, the gradients' errors, the race detector on the concurrent packages
	$(GO) vet ./...
	@GO=$(GO) sh .ci/test.sh -vet=off -p $(PACKAGES) -timeout 60m $(LONG) ./...
	$(MAKE) --no-print-directory race

gradients: ## the worst relative error of the gradient of every layer and every loss
	$(GO) test -v -run Gradient ./surrogate ./surrogate/train

race: ## the race detector where goroutines meet
	@GO=$(GO) sh .ci/test.sh -race -short -vet=off -p $(PACKAGES) -timeout 60m $$(GO=$(GO) sh .ci/concurrent.sh $(RACED))

fuzz: deps ## one minute of fuzzing for every parser
	sh .ci/fuzz.sh 60s

chaos: build ## kill it anywhere: the long form of the chaos tests
	OCEANINV_CHAOS=200 $(GO) test -run 'Chaos|TwoDrivers|Fault|Scale' -timeout 10m -v ./workflow/...

bench: build ## speed, as ratios within one run
	$(BIN) bench forward
	$(BIN) bench train
	$(GO) test -run '^$$' -bench . -benchmem ./acoustics/... ./surrogate/... ./io/...

lint: ## gofmt, vet, and golangci-lint where it is installed
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else echo 'golangci-lint is not installed: only gofmt and go vet ran'; fi

clean: ## remove what was built; results and the store stay
	rm -rf bin
