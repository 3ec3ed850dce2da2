# What people run is what CI runs. `make` alone lists the targets.

CARGO ?= cargo
# The oldest Rust that Cargo.toml's rust-version allows.
MSRV := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
# One seed for every property test of `make test`, so that two runs test the same; `make fuzz` draws others.
SEED ?= 20260101
# Cases of each property in `make fuzz`; 256 in `make test`.
CASES ?= 20000

.DEFAULT_GOAL := help
.PHONY: help test check fmt fuzz build rust install

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

test: rust install ## install what is missing (Debian, Ubuntu), then format, lints and all tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked --quiet -- -D warnings
	PROPTEST_RNG_SEED=$(SEED) $(CARGO) test --workspace --locked

check: rust ## format, lints, documentation; cargo-deny where it is installed
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --locked check; \
	else echo "make check: cargo-deny is not installed, so licences and sources were not checked (cargo install cargo-deny)"; fi

fmt: rust ## format the code
	$(CARGO) fmt --all

# Unoptimised, so that an overflow panics. A fresh seed each time, printed before and repeated by SEED=…; a failure is also kept by proptest itself.
fuzz: SEED := $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
fuzz: rust install ## property tests at length, another seed each time: make fuzz [CASES=n] [SEED=n]
	@echo "make fuzz: $(CASES) cases a property; the same again: make fuzz CASES=$(CASES) SEED=$(SEED)"
	PROPTEST_CASES=$(CASES) PROPTEST_RNG_SEED=$(SEED) $(CARGO) test --workspace --lib --locked \
	|| { echo "make fuzz: failed; the same again: make fuzz CASES=$(CASES) SEED=$(SEED)"; exit 1; }

build: rust ## both programs, optimised, into target/release
	$(CARGO) build --workspace --bins --release --locked

# Not for people: what the others need first.
rust:
	@tests/rust.sh $(MSRV)

install:
	@tests/install.sh
