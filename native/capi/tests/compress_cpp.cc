// Tests of offheap::BloomFilter, SuffixArray and RollingHash: owners, views, moves, bulk calls.
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

namespace {

void filters() {
  offheap::BloomFilter filter(1000, 0.01);
  filter.add("apple");
  filter.add(0.5);
  CHECK(filter.has("apple") && filter.has(0.5) && !filter.has("pear") && !filter.has(1.5));
  CHECK(filter.capacity() == 1000 && filter.rate() == 0.01);
  std::vector<std::uint32_t> keys(500);
  for (std::uint32_t i = 0; i < 500; i++) keys[i] = i * 7;
  filter.add_many(keys.data(), 500);
  std::vector<std::uint8_t> found(500);
  filter.has_many(keys.data(), 500, found.data());
  for (const std::uint8_t yes : found) CHECK(yes == 1);
  const oh_bloomfilter_hashed hashed[] = {filter.hash("plum"), filter.hash("apple")};
  filter.has_many(hashed, 2, found.data());
  CHECK(found[0] == 0 && found[1] == 1);
  filter.add_many(hashed, 2);
  filter.validate();

  offheap::BloomFilter moved(std::move(filter));
  CHECK(moved.has("plum"));
  moved.add("cherry");
  const offheap::BloomFilterView view(moved.base(), moved.region_size());
  CHECK(view.has("cherry") && view.has(3493));
  CHECK(status_of([] { offheap::BloomFilter(10, 1.5); }) == OH_ERR_RANGE);
  CHECK(status_of([&] { offheap::BloomFilterView(moved.base(), 256); }) == OH_ERR_CORRUPT);
}

void suffixes() {
  offheap::SuffixArray array("banana");
  CHECK(array.search("an").start == 1 && array.search("an").count == 2 && array.at(1) == 3);
  CHECK(array.text() == "banana" && array.size() == 6 && !array.empty());
  array.validate();
  const offheap::SuffixArray moved(std::move(array));
  const offheap::SuffixArrayView view(moved.base(), moved.region_size());
  CHECK(view.search("na").count == 2);
  CHECK(status_of([&] { view.at(6); }) == OH_ERR_RANGE);
  CHECK(offheap::SuffixArray("").empty());
}

void hashes() {
  std::string text;
  for (int i = 0; i < 3000; i++) text += std::to_string(i * i);
  offheap::RollingHash rolling(32);
  std::string_view rest = text;
  int cuts = 0;
  while (const auto length = rolling.find(rest, 8)) {
    rest.remove_prefix(*length);
    CHECK(rolling.full() && rolling.value() < 1u << 24);
    cuts++;
  }
  CHECK(cuts > 10 && rolling.value() == offheap::RollingHash::of(text.substr(text.size() - 32)));
  rolling.reset();
  CHECK(rolling.update("abc") == offheap::RollingHash::of("abc"));
  const offheap::RollingHash moved(std::move(rolling));
  CHECK(moved.value() == offheap::RollingHash::of("abc"));
  CHECK(status_of([] { offheap::RollingHash(0); }) == OH_ERR_RANGE);
}

}  // namespace

int main() {
  filters();
  suffixes();
  hashes();
  return check_result();
}
