#!/usr/bin/env bash
# All checks of the project in one command. It installs what it needs: Debian packages and registries, nothing else.
# With CI=true nothing may be skipped.
#
#   tests/run.sh          all checks, with the short scenarios
#   tests/run.sh --all    the long scenarios too, and the table of all scores; CAPLINE_ALL=name,name for some of them
#   tests/run.sh --soak   nothing but the soak: 24 hours of the plant, or CAPLINE_SOAK_HOURS, with faults at random
set -euo pipefail
cd "$(dirname "$0")/.."

# The tests look for their tools here.
readonly TOOLS="$PWD/target/tools"
export PATH="$TOOLS/bin:$PATH"

step() { printf '\n== %s\n' "$*"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Command → Debian package that brings it.
system_packages() {
    local missing=()
    command -v chromium > /dev/null || missing+=(chromium)
    command -v chromedriver > /dev/null || missing+=(chromium-driver)
    fc-list :lang=zh 2> /dev/null | grep -q . || missing+=(fontconfig fonts-noto-cjk)
    compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || missing+=(postgresql)
    command -v npm > /dev/null || missing+=(nodejs npm)
    command -v cc > /dev/null || missing+=(gcc libc6-dev)
    command -v systemd-analyze > /dev/null || missing+=(systemd)
    pkg-config --exists libmodbus 2> /dev/null || missing+=(pkg-config libmodbus-dev)
    command -v mbpoll > /dev/null || missing+=(mbpoll)
    [ ${#missing[@]} = 0 ] && return
    if ! command -v apt-get > /dev/null; then
        echo "these are missing and there is no apt-get to install them: ${missing[*]}" >&2
        return
    fi
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" > /dev/null
}

# The Modbus and OPC UA servers of tests/it/peers.rs, which are not ours.
peers() {
    local venv="$PWD/target/peers" wanted="$PWD/tests/peers/requirements.txt"
    cmp -s "$wanted" "$venv/installed.txt" && return
    if ! python3 -m venv --clear "$venv" > /dev/null 2>&1; then
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv > /dev/null
        python3 -m venv --clear "$venv"
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/installed.txt"
}

# Schemathesis for tests/it/guard/api.rs, and the schema of CycloneDX for tests/sbom.py. Apart from the peers: they want
# other versions of the same libraries.
openapi() {
    local venv="$PWD/target/openapi" wanted="$PWD/tests/openapi/requirements.txt"
    cmp -s "$wanted" "$venv/installed.txt" && return
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/installed.txt"
}

# Servers by others: modbus-serial for tests/it/types.rs, node-opcua for tests/it/peers.rs. The latter asks for a newer Node
# than Debian has and runs on 20 all the same.
node_peers() {
    local dir="$PWD/target/peers-node" wanted="$PWD/tests/peers/node/package-lock.json"
    cmp -s "$wanted" "$dir/installed.json" && return
    mkdir -p "$dir"
    cp tests/peers/node/package.json "$wanted" "$dir"
    npm ci --omit=optional --ignore-scripts --silent --no-fund --no-audit --prefix "$dir"
    cp "$wanted" "$dir/installed.json"
}

# Finds violations of WCAG in the browser tests. Nothing of it is shipped.
axe() {
    local wanted=4.14.1 dir="$PWD/target/axe"
    grep -qs "\"version\": \"$wanted\"" "$dir/node_modules/axe-core/package.json" && return
    mkdir -p "$dir"
    npm install --prefix "$dir" --no-save --ignore-scripts --no-audit --no-fund --silent "axe-core@$wanted"
}

# Chromium 90, the oldest one that the screens are for, for tests/browser/old.rs.
old_browser() {
    local dir="$PWD/target/old-browser" wanted="$PWD/tests/browser/old/package-lock.json"
    cmp -s "$wanted" "$dir/installed.json" && return
    mkdir -p "$dir"
    cp tests/browser/old/package.json "$wanted" "$dir"
    npm ci --ignore-scripts --silent --no-fund --no-audit --prefix "$dir"
    cp "$wanted" "$dir/installed.json"
}

# TimescaleDB as WebAssembly, for tests/it/plantdb/timescale.rs. Debian's Node may be too old for it.
timescale() {
    local dir="$PWD/target/timescale" wanted="$PWD/tests/timescale/package-lock.json"
    if [ "$(node -p 'process.versions.node.split(".")[0]' 2> /dev/null || echo 0)" -lt 20 ]; then
        npm install --silent --no-fund --no-audit --prefix "$TOOLS/node" node@20
        mkdir -p "$TOOLS/bin"
        ln -sf "$TOOLS/node/node_modules/.bin/node" "$TOOLS/bin/node"
    fi
    cmp -s "$wanted" "$dir/installed.json" && return
    mkdir -p "$dir"
    cp tests/timescale/package.json "$wanted" "$dir"
    npm ci --silent --no-fund --no-audit --prefix "$dir"
    cp "$wanted" "$dir/installed.json"
}

cargo_deny() {
    [ -x "$TOOLS/bin/cargo-deny" ] || command -v cargo-deny > /dev/null ||
        cargo install --quiet --debug --locked --root "$TOOLS" cargo-deny@0.20.2
    # The database of advisories is in no package registry: `cargo deny check advisories` belongs to a release.
    cargo deny --log-level error check bans licenses sources
}

# Names of the scenarios that are played beside the short ones; 1 for all.
all=
case "${1:-}" in
    '') ;;
    --all) all="${CAPLINE_ALL:-1}" ;;
    --soak)
        step soak
        CAPLINE_SOAK_HOURS="${CAPLINE_SOAK_HOURS:-24}" exec cargo test --test it soak
        ;;
    *)
        echo "tests/run.sh: $1: --all, --soak or nothing" >&2
        exit 2
        ;;
esac

# Nobody compiles a second time here: what the compiler would write down for that is left out.
[ "${CI:-}" = true ] && export CARGO_INCREMENTAL=0
# It is for its step alone, which has the machine to itself.
unset CAPLINE_ALL

step system packages
system_packages
step servers for the tests
peers
node_peers
step Schemathesis and CycloneDX
openapi
step axe-core and an old browser
axe
old_browser
timescale
step format
cargo fmt --all --check
step lints
cargo clippy --workspace --all-targets -- -D warnings
# What a plant builds. With a test, so that the libraries have the features that they were checked with already.
cargo clippy --workspace --no-default-features --lib --bins --test traffic -- -D warnings
RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" \
    cargo doc --workspace --no-deps --document-private-items
step licences and sources
cargo_deny
step bill of materials
target/openapi/bin/python tests/sbom.py target/sbom.json
step build
cargo test --workspace --no-run
step tests
cargo test --workspace --lib --bins --test program
step screens
cargo test --test browser -- --test-threads=2
# A plant that runs by the clock is mostly waited for: each of these takes a fifth of a core.
readonly BY_THE_CLOCK=(scenario_files:: scenarios::)
step scenarios
cargo test --test it -- "${BY_THE_CLOCK[@]}" --test-threads=3
step the service and its machines, and fuzzing with what they leave of the cores
# Two minutes for each target instead of one, as the other tests go first; they wait for most of their time.
CAPLINE_FUZZ_SECONDS="${CAPLINE_FUZZ_SECONDS:-120}" nice -n 19 \
    cargo test --lib --workspace fuzz -- --test-threads=8 > target/fuzz.log 2>&1 &
readonly FUZZ=$!
trap 'kill "$FUZZ" 2> /dev/null || true' EXIT
cargo test --test it -- "${BY_THE_CLOCK[@]/#/--skip=}"
step fuzzing
wait "$FUZZ" || { cat target/fuzz.log; exit 1; }
grep '^test ' target/fuzz.log
if [ -n "$all" ]; then
    step long scenarios
    CAPLINE_ALL="$all" cargo test --test it -- scenario_files::the_long_ones
    ls target/scores.md
fi
step what went over the wire
cargo test --test traffic
step requirements and the tests that show them
ls target/trace-matrix.md
