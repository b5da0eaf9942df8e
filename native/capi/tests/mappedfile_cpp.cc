// Tests of offheap::MappedFile and Cursor: strategies, slices, writing, growth, truncation, moves.
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

static_assert(!std::is_copy_constructible_v<offheap::MappedFile>, "is not copied");
static_assert(std::is_nothrow_move_constructible_v<offheap::MappedFile>, "moves do not throw");

std::string path;

void WriteFile(const std::string& content, const char* mode = "wb") {
  FILE* file = std::fopen(path.c_str(), mode);
  CHECK(file != nullptr && std::fwrite(content.data(), 1, content.size(), file) == content.size());
  std::fclose(file);
}

std::string Noise(std::size_t length) {
  std::string bytes(length, '\0');
  for (std::size_t i = 0; i < length; i++) bytes[i] = static_cast<char>(i * 31 ^ i >> 8);
  return bytes;
}

void Strategies() {
  const std::string content = Noise(300000);
  WriteFile(content);
  for (const auto strategy :
       {OH_STRATEGY_BUFFERED, OH_STRATEGY_MMAP, OH_STRATEGY_HUGEPAGE, OH_STRATEGY_COPY, OH_STRATEGY_AUTO}) {
    auto options = offheap::MappedFile::options();
    options.strategy = strategy;
    options.pattern = OH_PATTERN_SEQUENTIAL;
    const offheap::MappedFile file(path, options);
    CHECK(file.size() == content.size() && !file.empty());
    CHECK(std::memcmp(file.data(), content.data(), content.size()) == 0);
    CHECK(static_cast<std::size_t>(file.end() - file.begin()) == content.size());
    CHECK(strategy == OH_STRATEGY_AUTO || strategy == OH_STRATEGY_HUGEPAGE || file.strategy() == strategy);
    const offheap::Bytes part = file.slice(299990, 10);
    CHECK(part.size == 10 && std::memcmp(part.data, content.data() + 299990, 10) == 0);
    CHECK(file.slice(300000, 0).size == 0);
    CHECK(status_of([&] { file.slice(299991, 10); }) == OH_ERR_RANGE);
    CHECK(status_of([&] { file.slice(SIZE_MAX, 2); }) == OH_ERR_RANGE);
    char bytes[30];
    file.read(7, bytes, 10);
    CHECK(std::memcmp(bytes, content.data() + 7, 10) == 0);
    CHECK(status_of([&] { file.read(299991, bytes, 10); }) == OH_ERR_RANGE);
    const double offsets[] = {299990, 0, 5000};
    file.read_many(offsets, 3, 10, bytes);
    CHECK(std::memcmp(bytes + 10, content.data(), 10) == 0 && bytes[20] == content[5000]);
    file.prefetch(0, 300000);
    file.advise(OH_PATTERN_RANDOM);
    file.check();
#if defined(__linux__)
    CHECK(file.resident_pages() > 0);
#endif
  }
  CHECK(status_of([] { offheap::MappedFile("/nonexistent/file"); }) == OH_ERR_IO);
}

void Cursors() {
  std::string content;
  const auto add = [&](auto value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    content.append(bytes, sizeof value);
  };
  add(std::uint8_t{200});
  add(std::int8_t{-3});
  add(std::uint16_t{65000});
  add(std::int16_t{-300});
  add(std::uint32_t{4000000000u});
  add(std::int32_t{-70000});
  add(std::uint64_t{1} << 63);
  add(-(std::int64_t{1} << 40));
  add(1.5f);
  add(-2.25);
  content += "\x05hello\xAC\x02";
  content += "\xFF\xFF\xFF\xFF\x0F";
  WriteFile(content);
  const offheap::MappedFile file(path);
  offheap::Cursor cursor = file.cursor();
  CHECK(cursor.read<std::uint8_t>() == 200 && cursor.read<std::int8_t>() == -3);
  CHECK(cursor.read<std::uint16_t>() == 65000 && cursor.read<std::int16_t>() == -300);
  CHECK(cursor.read<std::uint32_t>() == 4000000000u && cursor.read<std::int32_t>() == -70000);
  CHECK(cursor.read<std::uint64_t>() == std::uint64_t{1} << 63);
  CHECK(cursor.read<std::int64_t>() == -(std::int64_t{1} << 40));
  CHECK(cursor.read<float>() == 1.5f && cursor.read<double>() == -2.25);
  const std::size_t text = cursor.position();
  CHECK(cursor.read_string() == "hello" && cursor.read_varint() == 300);
  // A length of 2^32 - 1 bytes, which the file does not have.
  const std::size_t length_at = cursor.position();
  CHECK(status_of([&] { cursor.read_string(); }) == OH_ERR_RANGE && cursor.position() == length_at);
  CHECK(status_of([&] { cursor.read<double>(); }) == OH_ERR_RANGE && cursor.position() == length_at);
  CHECK(status_of([&] { cursor.read_string(2); }) == OH_ERR_CORRUPT && cursor.position() == length_at);
  CHECK(status_of([&] { cursor.skip(6); }) == OH_ERR_RANGE && cursor.remaining() == 5);
  cursor.skip(5);
  CHECK(cursor.remaining() == 0 && status_of([&] { cursor.read<std::uint8_t>(); }) == OH_ERR_RANGE);
  CHECK(status_of([&] { cursor.seek(content.size() + 1); }) == OH_ERR_RANGE);
  cursor.seek(text + 1);
  CHECK(cursor.read_string(5) == "hello");
  CHECK(status_of([] { offheap::Cursor().read_varint(); }) == OH_ERR_RANGE);
}

void Writing() {
  WriteFile(std::string(100, 'a'));
  auto options = offheap::MappedFile::options();
  options.writable = true;
  offheap::MappedFile file(path, options);
  file.data()[3] = 'b';
  file.flush();
  WriteFile("more", "ab");
  CHECK(file.size() == 100 && file.refresh() == 104 && file.data()[103] == 'e');
  const offheap::MappedFile reader(path);
  CHECK(reader.data()[3] == 'b');
  offheap::MappedFile read(path);
  CHECK(status_of([&] { read.flush(); }) == OH_ERR_UNSUPPORTED);
}

#if defined(__linux__)
void CutShort() {
  WriteFile(Noise(300000));
  auto options = offheap::MappedFile::options();
  options.strategy = OH_STRATEGY_MMAP;
  const offheap::MappedFile file(path, options);
  options.strategy = OH_STRATEGY_COPY;
  const offheap::MappedFile copy(path, options);
  CHECK(truncate(path.c_str(), 4096) == 0);
  CHECK(file.data()[200000] == 0);
  CHECK(status_of([&] { file.check(); }) == OH_ERR_IO);
  copy.check();
  CHECK(copy.data()[200001] == static_cast<unsigned char>(Noise(300000)[200001]));
}
#endif

// The example of the README.
void SavedMap() {
  offheap::HashMap<std::uint32_t, double> map;
  map.set(42, 9.5);
  WriteFile(std::string(static_cast<const char*>(map.base()), map.region_size()));
  const std::string asked = path + "-asked";
  std::remove(asked.c_str());
  const offheap::MappedFile file(path);
  const offheap::HashMapView<std::uint32_t, double> prices(file.data(), file.size());
  auto log = offheap::MmapVector<double>::create(asked);
  if (auto price = prices.get(42)) log.push_back(*price);
  file.check();
  log.flush();
  CHECK(log.size() == 1 && log[0] == 9.5);
  std::remove(asked.c_str());
}

void Moves() {
  WriteFile("content");
  offheap::MappedFile first(path);
  offheap::MappedFile file(std::move(first));
  CHECK(file.size() == 7);
  CHECK(first.empty() && first.data() == nullptr && first.begin() == first.end());
  CHECK(first.cursor().remaining() == 0);
  CHECK(status_of([&] { first.check(); }) == OH_ERR_TYPE);
  CHECK(status_of([&] { first.refresh(); }) == OH_ERR_TYPE);
  CHECK(status_of([&] { first.slice(0, 1); }) == OH_ERR_RANGE);
  offheap::MappedFile other(path);
  other = std::move(file);
  CHECK(other.size() == 7 && file.empty());
  other = std::move(other);
  CHECK(other.size() == 7);
  first = std::move(other);
  CHECK(first.size() == 7 && other.empty());
}

}  // namespace

int main() {
  const char* folder = std::getenv("TMPDIR");
#if defined(__unix__)
  path = std::string(folder ? folder : "/tmp") + "/oh-mappedfile-cpp-" + std::to_string(getpid());
#else
  path = std::string(folder ? folder : ".") + "/oh-mappedfile-cpp-" + std::to_string(std::rand());
#endif
  Strategies();
  Cursors();
  Writing();
  SavedMap();
#if defined(__linux__)
  CutShort();
#endif
  Moves();
  std::remove(path.c_str());
  return check_result();
}
