#!/usr/bin/env bash
# Kills processes that write one SharedMap in a file, at random moments, and checks after each that
# nothing acknowledged was lost (native/core/tests/sharedmap_file/kill.rs). `npm test` does so 200
# times. Arguments: the number of processes to kill (5,000), and the seed of the random numbers.
set -euo pipefail
cd "$(dirname "$0")/../native"
export OFFHEAP_ROUNDS=${1:-5000}
if [ $# -gt 1 ]; then export OFFHEAP_SEED=$2; fi
exec cargo test --locked -p offheap-core --test sharedmap_file nothing_acknowledged -- --nocapture
