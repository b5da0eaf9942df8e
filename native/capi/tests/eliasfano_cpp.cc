// Tests of offheap::EliasFano: owners, views, moves, bulk calls.
#include <algorithm>
#include <utility>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

int main() {
  std::vector<std::uint32_t> values;
  for (std::uint32_t i = 0; i < 5000; i++) values.push_back(i / 2 * 97);
  offheap::EliasFano made(values.data(), values.size());
  const offheap::EliasFano stored(std::move(made));
  CHECK(stored.size() == values.size() && stored.max() == values.back() && !stored.empty());
  for (std::size_t i = 0; i < values.size(); i++) CHECK(stored.at(i) == values[i]);
  for (std::uint32_t asked = 0; asked < 2500 * 97; asked += 31) {
    const auto at = std::lower_bound(values.begin(), values.end(), asked);
    CHECK(stored.rank(asked) == static_cast<std::uint64_t>(at - values.begin()));
    const auto next = stored.next_geq(asked);
    CHECK(next.has_value() == (at != values.end()));
    if (next) CHECK(next->value == *at && next->index == stored.rank(asked));
  }
  std::vector<std::uint32_t> all(values.size());
  stored.unpack(0, all.size(), all.data());
  CHECK(all == values);
  const std::uint64_t picks[] = {4999, 3, 3};
  double out[3];
  stored.get_many(picks, 3, out);
  CHECK(out[0] == values[4999] && out[1] == values[3]);
  stored.rank_many(values.data() + 100, 3, out);
  CHECK(out[0] == 100 && out[1] == 100 && out[2] == 102);
  stored.validate();
  const offheap::EliasFanoView view(stored.base(), stored.region_size());
  CHECK(view.at(77) == values[77]);

  const std::uint32_t falling[] = {2, 1};
  CHECK(status_of([&] { offheap::EliasFano(falling, 2); }) == OH_ERR_RANGE);
  return check_result();
}
