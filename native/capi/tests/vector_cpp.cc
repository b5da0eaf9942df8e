// Tests of offheap::Vector: growth, ranges, views, exceptions.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

namespace {

void AgainstTheStandardVector() {
  offheap::Vector<double> vector;
  std::vector<double> model;
  std::uint32_t state = 1;
  for (int i = 0; i < 50000; i++) {
    state = state * 1664525 + 1013904223;
    vector.push_back(state % 1000);
    model.push_back(state % 1000);
  }
  CHECK(vector.size() == model.size() && std::equal(vector.begin(), vector.end(), model.begin()));
  CHECK(reinterpret_cast<std::uintptr_t>(vector.data()) % 64 == 0);
  CHECK(vector.sum() == std::accumulate(model.begin(), model.end(), 0.0));
  CHECK(vector.min() == 0 && vector.max() == 999);
  CHECK(vector.index_of(500) == std::find(model.begin(), model.end(), 500) - model.begin());
  CHECK(vector.index_of(0.5) == -1);
  const std::vector<std::uint32_t> order = vector.argsort();
  vector.sort();
  for (std::size_t i = 0; i < order.size(); i++) CHECK(vector[i] == model[order[i]]);
  std::sort(model.begin(), model.end());
  CHECK(std::equal(vector.begin(), vector.end(), model.begin()));
  CHECK(vector.search(500) == std::lower_bound(model.begin(), model.end(), 500) - model.begin());
  CHECK(vector.search(-1) == -1);
  vector.truncate(3);
  vector[0] = 42;
  CHECK(vector.size() == 3 && vector.front() == 42);

  // A view of the same bytes, as in another program.
  const offheap::VectorView<double> view(vector.base(), vector.region_size());
  CHECK(view.size() == 3 && view[0] == 42 && view.max() == 42);
  view.validate();

  offheap::Vector<double> moved(std::move(vector));
  CHECK(moved.size() == 3);
  const double more[] = {1, 2};
  moved.append(more, 2);
  CHECK(moved.size() == 5 && moved.back() == 2);
}

void Errors() {
  offheap::Vector<std::int8_t> bytes;
  CHECK(bytes.empty() && !bytes.min());
  CHECK(status_of([&] { offheap::VectorView<double>(bytes.base(), bytes.region_size()); }) == OH_ERR_TYPE);
}

}  // namespace

int main() {
  AgainstTheStandardVector();
  Errors();
  return check_result();
}
