#!/usr/bin/env bash
# Runs the core's kernel tests for AArch64 on any machine: compiled for AArch64 and run by QEMU, so
# that the NEON kernels are executed and compared with the portable ones. This does not show the
# effects of weakly ordered memory: QEMU on x86 keeps x86's order.
#
#   scripts/neon.sh                  the modules that contain or use kernels
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
  # Files with code for an architecture, and users of such code. A folder that also contains much
  # other code is narrowed to the file or folder in it.
  mapfile -t modules < <(grep -rlE 'aarch64|crate::(cpu|simd|table)\b' native/core/src |
    sed -E 's#native/core/src/##; s#\.rs$##; s#^(compress|mmap|region)/([^/]+).*#\1::\2#; s#/.*##' | sort -u)
  set -- region::crc "${modules[@]}"
fi
cargo test --manifest-path native/Cargo.toml --locked -p offheap-core --target "$target" \
  --target-dir native/target/neon --lib -- "$@"
echo "passed: the core's kernels for $target, under $(basename "$qemu")"
