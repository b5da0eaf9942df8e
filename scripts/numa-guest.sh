#!/usr/bin/env bash
# Tests NUMA placement on a machine with two nodes, or $1 nodes: boots a small Linux guest in QEMU
# and runs in it the C tests `native/capi/tests/numa.c` and `numapool.c` and, if there is a build,
# `scripts/numa-guest/pool.mjs` under Node.
#
#   scripts/numa-guest.sh [nodes]
#
# Not part of `npm test`: it needs qemu-system-x86_64, cpio, and a kernel, which is $KERNEL or comes
# from Debian by `apt-get download` (27 MB, kept in .cache/numa-guest). The processor is emulated,
# which works on any host: the C tests take some seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

nodes=${1:-2}
cache=$PWD/.cache/numa-guest
mkdir -p "$cache"
for tool in qemu-system-x86_64 cpio cc cargo; do
  command -v "$tool" >/dev/null || { echo "numa-guest: $tool is missing (Debian: apt-get install qemu-system-x86 cpio gcc)" >&2; exit 1; }
done

kernel=${KERNEL:-$(find "$cache/kernel/boot" -name 'vmlinuz-*' 2>/dev/null | head -1)}
if [ -z "$kernel" ]; then
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ { print $2; exit }')
  (cd "$cache" && apt-get download "$package" && dpkg-deb -x "$package"_*.deb kernel)
  kernel=$(find "$cache/kernel/boot" -name 'vmlinuz-*' | head -1)
fi

# The guest's file system: an archive that is unpacked into memory.
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cargo build --quiet --release --locked --manifest-path native/Cargo.toml -p offheap-capi
cc -static -O1 -o "$root/init" scripts/numa-guest/init.c
for test in numa numapool; do
  cc -static -O1 -Inative/capi/include -o "$root/$test" "native/capi/tests/$test.c" native/target/release/liboffheap.a \
    -lm -lpthread -ldl 2>/dev/null
  echo "/$test verbose" >>"$root/programs"
done

if [ -f build/Release/offheap.node ] && [ -f dist/index.js ] && [ -f scripts/numa-guest/pool.mjs ]; then
  # Node with the libraries that it needs, at the paths where it looks for them.
  for file in "$(command -v node)" build/Release/offheap.node; do
    ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
      mkdir -p "$root$(dirname "$library")"
      cp -Ln "$library" "$root$library"
    done
  done
  cp -L "$(command -v node)" "$root/node"
  mkdir -p "$root/offheap/build/Release"
  cp build/Release/offheap.node "$root/offheap/build/Release/"
  cp -r dist package.json scripts/numa-guest/pool.mjs "$root/offheap/"
  echo '/node /offheap/pool.mjs' >>"$root/programs"
fi
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$cache/initramfs.gz"

# Each node has memory of its own and one processor. The nodes are in a row.
machine=()
for ((node = 0; node < nodes; node++)); do
  machine+=(-object "memory-backend-ram,id=ram$node,size=768M" -numa "node,nodeid=$node,cpus=$node,memdev=ram$node")
done
for ((from = 0; from < nodes; from++)); do
  for ((to = from + 1; to < nodes; to++)); do machine+=(-numa "dist,src=$from,dst=$to,val=$((10 + 10 * (to - from)))"); done
done

log=$cache/console.txt
timeout "${TIMEOUT:-300}" qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp "$nodes" \
  -m "$((nodes * 768))M" "${machine[@]}" -kernel "$kernel" -initrd "$cache/initramfs.gz" \
  -append 'console=ttyS0 quiet panic=-1' -display none -serial stdio -monitor none -no-reboot -nic none \
  </dev/null | tr -d '\r' | tee "$log"

grep -q '^guest: off' "$log" || { echo 'numa-guest: the guest did not finish' >&2; exit 1; }
if grep '^guest: .* ended with' "$log" | grep -vq 'ended with 0$'; then exit 1; fi
