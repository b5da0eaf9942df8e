#!/usr/bin/env bash
# Checks the protocols of LockFreePool and SharedMap under loom, with more preemptions than in
# `npm test`. It takes minutes.
#
#   scripts/loom.sh [more = 1] [filter]
set -euo pipefail
cd "$(dirname "$0")/../native"
OFFHEAP_LOOM_MORE="${1:-1}" exec cargo test --release --locked -p offheap-core --test pools_loom \
  --test sharedmap_loom --test sharedmap_takeover_loom -- --nocapture "${@:2}"
