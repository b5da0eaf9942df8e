#!/usr/bin/env bash
# Kills processes that write SharedMaps in files, at random moments, and checks after each that
# nothing acknowledged was lost and that no transaction was made in part
# (native/core/tests/sharedmap_file/kill.rs and kill_all.rs). `npm test` does so 300 times.
# Arguments: the number of processes that each of the two tests kills (5,000), and the seed of the
# random numbers.
set -euo pipefail
cd "$(dirname "$0")/../native"
export OFFHEAP_ROUNDS=${1:-5000}
if [ $# -gt 1 ]; then export OFFHEAP_SEED=$2; fi
exec cargo test --locked -p offheap-core --test sharedmap_file killed -- --nocapture --test-threads=1
