#!/usr/bin/env bash
# All checks of the project in one command: format, lints, tests.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step format
cargo fmt --all --check
step lints
cargo clippy --workspace --all-targets
step tests
cargo test --workspace
