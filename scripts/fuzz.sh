#!/usr/bin/env bash
# Fuzzes the C ABI with libFuzzer and address sanitizer. Needs a nightly toolchain; cargo-fuzz is
# not needed.
#
#   scripts/fuzz.sh               every target, 200 seconds each
#   scripts/fuzz.sh hashmap 600   one target, for this many seconds
#
# Inputs that reach new code are kept in native/fuzz/corpus/<target>, and inputs that fail in
# native/fuzz/artifacts. `scripts/fuzz.sh <target> <file>` runs one of them again.
set -euo pipefail
start="$PWD"
cd "$(dirname "$0")/../native/fuzz"

if ! cargo +nightly --version >/dev/null 2>&1; then
  echo "fuzz.sh: no nightly toolchain: rustup toolchain install nightly" >&2
  exit 1
fi

host="$(rustc -vV | sed -n 's/^host: //p')"
# The flags of cargo-fuzz: coverage of every edge and comparison, and the sanitizer.
export RUSTFLAGS="-Zsanitizer=address -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
# Large allocations are refused instead of fatal. The leak checker does not work under ptrace.
export ASAN_OPTIONS="${ASAN_OPTIONS:-allocator_may_return_null=1:detect_leaks=0}"
cargo +nightly build --release --target "$host"

run() {
  local target="$1" seconds="$2"
  mkdir -p "corpus/$target" artifacts
  echo "== $target, $seconds s"
  "target/$host/release/$target" "corpus/$target" -max_total_time="$seconds" -timeout=10 -max_len=4096 \
    -artifact_prefix="artifacts/$target-" -print_final_stats=1 2>&1 | grep -E "ERROR|SUMMARY|panicked|stat::number|Test unit|cov:.*DONE" ||
    true
  # grep hides the fuzzer's exit status, but a failure leaves an artifact.
  if compgen -G "artifacts/$target-*" >/dev/null; then
    echo "failed: native/fuzz/artifacts/$target-*" >&2
    return 1
  fi
}

if [ "$#" -eq 0 ]; then
  for file in src/bin/*.rs; do run "$(basename "$file" .rs)" 200; done
elif [ "$#" -eq 2 ] && [ -f "$start/$2" ]; then
  exec "target/$host/release/$1" "$start/$2"
else
  run "$1" "${2:-60}"
fi
