// Tests of offheap::Dictionary and RecordStore: training, opening, moves, reads.
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

int main() {
  std::vector<std::string> records;
  for (int i = 0; i < 400; i++) {
    records.push_back("{\"id\":" + std::to_string(i) + ",\"town\":\"Town " + std::to_string(i * 37 % 91) +
                      "\"}");
  }
  const offheap::Dictionary dictionary = offheap::Dictionary::train(records, 4096);
  CHECK(dictionary.info().region_size <= 4096);
  dictionary.validate();

  const std::string packed = dictionary.compress(records[7], 9);
  CHECK(packed.size() * 2 < records[7].size());
  CHECK(dictionary.decompress(packed) == records[7]);
  CHECK(dictionary.decompress(packed, records[7].size()) == records[7]);
  CHECK(status_of([&] { dictionary.decompress(packed, records[7].size() - 1); }) == OH_ERR_FULL);
  CHECK(status_of([&] { dictionary.decompress("nonsense"); }) == OH_ERR_CORRUPT);
  CHECK(status_of([&] { dictionary.compress("x", 10); }) == OH_ERR_RANGE);
  CHECK(dictionary.decompress(dictionary.compress("")).empty());
  const std::string large(100000, 'x');
  CHECK(dictionary.decompress(dictionary.compress(large)) == large);

  const offheap::Dictionary copy(dictionary.bytes().data(), dictionary.bytes().size());
  CHECK(copy.info().identity == dictionary.info().identity && copy.decompress(packed) == records[7]);
  CHECK(status_of([] { offheap::Dictionary("no dictionary", 13); }) != OH_OK);

  offheap::RecordStoreBuilder builder(copy);
  for (const std::string& record : records) builder.push(record);
  builder.push(large);
  offheap::RecordStore made(builder);
  const offheap::RecordStore store(std::move(made));
  store.validate();
  CHECK(store.size() == 401 && !store.empty() && store.info().longest == large.size());
  std::string out;
  for (std::size_t i = 0; i < records.size(); i++) {
    store.read(i, out);
    CHECK(out == records[i]);
  }
  CHECK(store.at(400) == large);
  CHECK(status_of([&] { store.at(401); }) == OH_ERR_RANGE);
  const offheap::RecordStoreView view(store.base(), store.region_size());
  CHECK(view.at(399) == records[399]);
  CHECK(status_of([&] { offheap::RecordStoreView(store.base(), store.region_size() - 64); }) ==
        OH_ERR_CORRUPT);
  CHECK(offheap::RecordStore(offheap::RecordStoreBuilder(dictionary)).empty());
  return check_result();
}
