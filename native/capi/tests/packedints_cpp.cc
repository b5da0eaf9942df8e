// Tests of offheap::PackedInts: owners, views, moves, bulk calls.
#include <algorithm>
#include <utility>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

int main() {
  std::vector<std::uint32_t> values;
  for (std::uint32_t i = 0; i < 5000; i++) values.push_back(i * i % 4093);
  const offheap::PackedInts packed(values.data(), values.size());
  CHECK(packed.bits() == 12 && packed.size() == values.size());
  for (std::size_t i = 0; i < values.size(); i++) CHECK(packed.at(i) == values[i]);
  std::vector<std::uint16_t> all(values.size());
  packed.unpack(0, all.size(), all.data());
  CHECK(std::equal(all.begin(), all.end(), values.begin()));
  const std::uint64_t picks[] = {4999, 3, 3};
  double out[3];
  packed.get_many(picks, 3, out);
  CHECK(out[0] == values[4999] && out[1] == values[3] && out[2] == values[3]);
  packed.validate();

  const offheap::PackedIntsView view(packed.base(), packed.region_size());
  CHECK(view.at(77) == values[77] && !view.empty());

  offheap::PackedInts wide(values.data(), values.size(), 60);
  const offheap::PackedInts moved(std::move(wide));
  CHECK(moved.bits() == 60 && moved.at(4999) == values[4999]);

  CHECK(status_of([&] { offheap::PackedInts(values.data(), values.size(), 3); }) == OH_ERR_RANGE);
  CHECK(status_of([&] { packed.at(5000); }) == OH_ERR_RANGE);
  return check_result();
}
