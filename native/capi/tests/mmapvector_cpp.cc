// Tests of offheap::MmapVector: appending, flushing, readers, reopening, errors, moves.
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <unistd.h>
#endif

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

namespace {

using Vector = offheap::MmapVector<double>;
static_assert(!std::is_copy_constructible_v<Vector>, "is not copied");

std::string path;

void FlushedElementsSurvive() {
  std::remove(path.c_str());
  std::vector<double> model;
  {
    Vector vector = Vector::create(path);
    CHECK(vector.empty() && vector.writable() && !vector.recovered());
    for (int i = 0; i < 20000; i++) {
      vector.push_back(i * 0.5);
      model.push_back(i * 0.5);
    }
    CHECK(vector.size() == 20000 && vector.flushed() == 0 && vector.back() == model.back());
    vector.set(3, 42);
    model[3] = 42;
    vector.flush();
    CHECK(vector.flushed() == 20000);
    CHECK(status_of([&] { vector.set(3, 1); }) == OH_ERR_UNSUPPORTED);

    Vector reader = Vector::open(path);
    CHECK(reader.size() == 20000 && !reader.writable());
    CHECK(std::equal(reader.begin(), reader.end(), model.begin(), model.end()));
    CHECK(status_of([&] { reader.push_back(1); }) == OH_ERR_UNSUPPORTED);
    CHECK(status_of([] { Vector::open(path, true); }) == OH_ERR_LOCKED);
    vector.append(model.data(), 100);
    CHECK(reader.refresh() == 20000);
    vector.flush();
    CHECK(reader.refresh() == 20100 && reader[20099] == model[99] && reader.at(20000) == 0);
    CHECK(status_of([&] { reader.at(20100); }) == OH_ERR_RANGE);
    reader.check();
    reader.validate();
    vector.push_back(7);  // is not flushed
  }
  Vector vector = Vector::open(path, true);
  CHECK(vector.size() == 20100 && vector.front() == 0 && vector[3] == 42);
  vector.truncate(10);
  vector.reserve(1000);
  CHECK(vector.size() == 10 && vector.capacity() >= 1010);
  vector.flush();
}

void Refusals() {
  CHECK(status_of([] { Vector::create(path); }) == OH_ERR_IO);
  CHECK(status_of([] { offheap::MmapVector<float>::open(path); }) == OH_ERR_TYPE);
  CHECK(status_of([] { Vector::open(path + " no"); }) == OH_ERR_IO);
  std::remove(path.c_str());
  auto options = Vector::options();
  options.capacity = 3;
  options.fixed = true;
  Vector vector = Vector::create(path, options);
  const double values[] = {1, 2, 3, 4};
  CHECK(status_of([&] { vector.append(values, 4); }) == OH_ERR_FULL && vector.empty());
  vector.append(values, 3);
  CHECK(vector.size() == 3 && std::accumulate(vector.begin(), vector.end(), 0.0) == 6);
}

void Moves() {
  std::remove(path.c_str());
  Vector first = Vector::create(path);
  first.push_back(1);
  Vector vector(std::move(first));
  CHECK(vector.size() == 1 && vector[0] == 1);
  CHECK(first.empty() && first.data() == nullptr && first.begin() == first.end());
  CHECK(status_of([&] { first.push_back(1); }) == OH_ERR_TYPE && first.empty());
  CHECK(status_of([&] { first.flush(); }) == OH_ERR_TYPE);
  first = std::move(vector);
  CHECK(first.size() == 1 && vector.empty());
  first.flush();
}

}  // namespace

int main() {
  const char* folder = std::getenv("TMPDIR");
#if defined(__unix__)
  path = std::string(folder ? folder : "/tmp") + "/oh-mmapvector-cpp-" + std::to_string(getpid());
#else
  path = std::string(folder ? folder : ".") + "/oh-mmapvector-cpp-" + std::to_string(std::rand());
#endif
  FlushedElementsSurvive();
  Refusals();
  Moves();
  std::remove(path.c_str());
  return check_result();
}
