#!/usr/bin/env bash
# Runs the native code under sanitizers. Tests that need a missing tool are listed and left out; the
# others must pass.
#
#   scripts/sanitize.sh            C and C++ tests under ASan + UBSan; Rust tests under ASan where a
#                                  nightly toolchain with rust-src is installed
#   scripts/sanitize.sh thread     Rust tests under TSan (nightly with rust-src)
set -euo pipefail
cd "$(dirname "$0")/.."
mode="${1:-address}"
host="$(rustc -vV | sed -n 's/^host: //p')"

rust_tests() {
  if ! rustup toolchain list 2>/dev/null | grep -q nightly ||
    ! rustup component list --toolchain nightly --installed 2>/dev/null | grep -q rust-src; then
    echo "left out: Rust tests under $1 (needs: rustup toolchain install nightly -c rust-src)"
    return 0
  fi
  # The standard library is rebuilt with the sanitizer, which otherwise reports false errors for
  # memory that uninstrumented code wrote.
  RUSTFLAGS="-Zsanitizer=$1" RUSTDOCFLAGS="-Zsanitizer=$1" \
    cargo +nightly test --manifest-path native/Cargo.toml --locked --target "$host" -Zbuild-std \
    --target-dir "native/target/$1" --lib --tests
  echo "passed: Rust tests under $1"
}

case "$mode" in
  address)
    flags="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
    cmake -S . -B build/asan -DOFFHEAP_TESTS=ON -DCMAKE_BUILD_TYPE=Debug \
      -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" >/dev/null
    cmake --build build/asan --parallel 2
    # installed_package builds a project of its own, without these flags.
    ctest --test-dir build/asan --output-on-failure -E installed_package
    echo "passed: C and C++ tests under address and undefined"
    rust_tests address
    ;;
  thread) rust_tests thread ;;
  *)
    echo "usage: scripts/sanitize.sh [address|thread]" >&2
    exit 2
    ;;
esac
