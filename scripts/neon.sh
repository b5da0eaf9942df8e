#!/usr/bin/env bash
# The core's kernel tests for AArch64, on any machine: compiled for it and run by QEMU, so that the
# NEON kernels are executed and compared with the portable ones. It does not show what weakly
# ordered memory does: QEMU on x86 keeps x86's order.
#
#   scripts/neon.sh                  the modules that have kernels
#   scripts/neon.sh succinct::       tests whose name contains a word
#
# Needs qemu-user, a linker and C library for the target (Debian: gcc-aarch64-linux-gnu and
# libc6-dev-arm64-cross) and `rustup target add aarch64-unknown-linux-gnu`. On an AArch64 machine
# `cargo test` does the same.
set -euo pipefail
cd "$(dirname "$0")/.."
target=aarch64-unknown-linux-gnu
sysroot="${OFFHEAP_NEON_SYSROOT:-/usr/aarch64-linux-gnu}"

missing=()
qemu="$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)"
[ -n "$qemu" ] || missing+=("qemu-user")
command -v aarch64-linux-gnu-gcc >/dev/null || missing+=("gcc-aarch64-linux-gnu")
[ -e "$sysroot/lib/libc.so.6" ] || missing+=("libc6-dev-arm64-cross")
[ -d "$(rustc --print sysroot)/lib/rustlib/$target" ] || missing+=("rustup target add $target")
if [ ${#missing[@]} -gt 0 ]; then
  printf 'scripts/neon.sh needs: %s\n' "${missing[@]}" >&2
  exit 2
fi

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$qemu -L $sysroot"
if [ $# -eq 0 ]; then
  set -- cpu:: simd hashmap smallmap vector succinct region::crc compress::bloom compress::rolling
fi
cargo test --manifest-path native/Cargo.toml --locked -p offheap-core --target "$target" \
  --target-dir native/target/neon --lib -- "$@"
echo "passed: the core's kernels for $target, under $(basename "$qemu")"
