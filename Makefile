# What people run is what CI runs. `make` alone lists the targets.

CARGO ?= cargo
# The oldest Rust that Cargo.toml's rust-version allows.
MSRV := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
# One seed for every property test of `make test`, so that two runs test the same; `make fuzz` draws others.
SEED ?= 20260101
# Cases of each property in `make fuzz`; 256 in `make test`.
CASES ?= 20000
# How long people talk in `make soak`.
SECONDS ?= 300
# Spoofed streams tried in `make soak`; 2,000 in `make test`.
SPOOFS ?= 100000
# How often `make soak` kills a relay that is listened to; 20 times in `make test`.
KILLS ?= 500
# Requests that are drawn for each operation of the API in `make soak`; 10 in `make test`.
DRAWN ?= 100
# How long relays are without Redis in `make soak`, seconds; 6 in `make test`. How often one dies that has fifty streams.
OUTAGE ?= 30
DEATHS ?= 5
# Short calls in `make soak`: so many, memory is looked at, ten times as many, and it is looked at again; 300 in `make test`.
CALLS ?= 2000
# Where cargo puts what it builds, and `make bench` a relay in Node.
TARGET := $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := help
.PHONY: help demo test check fmt fuzz soak sound figures bench autobahn picture build package rust lints headers tools

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

# Optimised: from nothing it takes the compiler no longer than a build with debug information, and `make build`
# finds most of its work done.
demo: rust headers ## a relay, three simulated calls and the monitor over them, in one program
	$(CARGO) run --profile demo --locked -p partyline --bin partyline -- demo $(ARGS)

test: lints tools ## install what is missing (Debian, Ubuntu), then format, lints, documentation and all tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet
	PROPTEST_RNG_SEED=$(SEED) $(CARGO) test --workspace --locked

check: lints headers ## format, lints, documentation; cargo-deny where it is installed
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --locked check; \
	else echo "make check: cargo-deny is not installed, so licences and sources were not checked (cargo install cargo-deny)"; fi

fmt: lints ## format the code
	$(CARGO) fmt --all

# Unoptimised, so that an overflow panics. A fresh seed each time, printed before and repeated by SEED=…; a failure is also kept by proptest itself.
fuzz: SEED := $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
fuzz: rust tools ## property tests at length, another seed each time: make fuzz [CASES=n] [SEED=n]
	@echo "make fuzz: $(CASES) cases a property; the same again: make fuzz CASES=$(CASES) SEED=$(SEED)"
	PROPTEST_CASES=$(CASES) PROPTEST_RNG_SEED=$(SEED) $(CARGO) test --workspace --lib --locked \
	|| { echo "make fuzz: failed; the same again: make fuzz CASES=$(CASES) SEED=$(SEED)"; exit 1; }

# Optimised, as people hear it, and one story at a time: figures are of a machine that does nothing else.
soak: rust tools ## what the loudspeaker gets, for longer, with figures; many spoofed streams, kills, short calls, drawn requests; relays without Redis, and that die: make soak [SECONDS=n] [SPOOFS=n] [KILLS=n] [CALLS=n] [DRAWN=n] [OUTAGE=n] [DEATHS=n]
	PARTYLINE_SOAK_SECONDS=$(SECONDS) $(CARGO) test --release --locked -p partyline-tests --test sound -- --nocapture --test-threads 1
	PARTYLINE_SPOOFS=$(SPOOFS) $(CARGO) test --release --locked -p partyline-tests --test scenarios -- --nocapture spoofed
	PARTYLINE_SHORT_CALLS=$(CALLS) $(CARGO) test --release --locked -p partyline-tests --test scenarios -- --nocapture pressed::growth
	PARTYLINE_DRAWN=$(DRAWN) $(CARGO) test --release --locked -p partyline-tests --test scenarios -- --nocapture openapi::drawn
	PARTYLINE_KILLS=$(KILLS) $(CARGO) test --release --locked -p partyline-tests --test scenarios -- --nocapture on_record::kills
	PARTYLINE_OUTAGE=$(OUTAGE) $(CARGO) test --release --locked -p partyline-tests --test scenarios -- --nocapture several::redis_goes
	PARTYLINE_DEATHS=$(DEATHS) $(CARGO) test --release --locked -p partyline-tests --test scenarios -- --nocapture several::owner_dies

# Optimised; a minute each, and meaningful only where nothing else runs.
figures: rust tools ## what the monitor costs, as a table: make figures [ARGS="10 idle keys"] (seconds, which)
	$(CARGO) build --workspace --bins --release --locked
	$(CARGO) run --release --locked --quiet -p partyline-tests --example figures -- $(ARGS)

# Optimised, and faster than real time: a machine that does something else is only slower. What was not measured whole
# replaces nothing in assets.
sound: OUT = $(if $(ARGS),$(TARGET)/sound.md,assets/sound.md)
sound: rust tools ## what networks and clocks do to the sound, simulated, as a table: make sound [ARGS="--seconds 20 --only missing"]
	tests/install.sh python soundcheck "$(TARGET)/python-soundcheck"
	$(CARGO) run --release --locked --quiet -p partyline-tests --example soundcheck -- --out "$(OUT)" $(ARGS)

# Optimised; half an hour, and meaningful only where nothing else runs. What was not measured whole replaces nothing
# in assets.
bench: OUT = $(if $(filter --quick --only,$(ARGS)),$(TARGET)/bench,assets)
bench: rust headers ## what a delivered frame costs, beside the least possible and Node: make bench [ARGS=--quick]
	$(if $(findstring --no-node,$(ARGS)),,tests/install.sh node bench/node "$(TARGET)/bench-node")
	$(CARGO) build --workspace --bins --release --locked
	$(CARGO) bench --locked --quiet -p partyline-tests
	$(CARGO) run --release --locked --quiet -p partyline-tests --example bench -- rounds --out "$(OUT)" $(ARGS)

# Optimised: the suite's largest messages have 16 MB. Not in CI, where there is no Python 2.7.
autobahn: rust headers ## Autobahn's suite over our WebSocket: make autobahn [PYTHON2=/path/to/python2.7]
	$(CARGO) build --release --locked --quiet -p partyline-tests --example autobahn
	tests/autobahn/run.sh "$(abspath $(TARGET))/autobahn" "$(abspath $(TARGET))/release/examples/autobahn"

picture: rust headers ## the README's picture of the screen, drawn from a run of the demo
	$(CARGO) run --quiet --locked --package partyline-tests --example picture

build: rust headers ## both programs, optimised, into target/release
	$(CARGO) build --workspace --bins --release --locked

# Elsewhere than on Debian and Ubuntu it makes what it can, and says what it cannot.
package: rust ## the relay as a .deb and as one static program, with checksums, into target/package
	@if command -v apt-get >/dev/null; then tests/install.sh package; fi
	CARGO="$(CARGO)" assets/package.sh "$(TARGET)/package"

# Not for people: what the others need first. On Debian and Ubuntu the last two install what is missing.
rust:
	@tests/rust.sh $(MSRV)

lints:
	@tests/rust.sh $(MSRV) fmt clippy

headers:
	@tests/install.sh build

tools:
	@tests/install.sh test
