// Tests of offheap::SharedMap in a file: what C++ writes and reads, threads, and processes that
// write one file at the same time, of which one is killed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

#if defined(__linux__)
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using Numbers = offheap::SharedMap<std::uint32_t, double>;
using Texts = offheap::SharedMap<std::string_view, std::string_view>;

constexpr std::uint64_t kBytes = 1 << 20;
constexpr std::uint32_t kRounds = 5000;

std::string path;

// Runs this program again: `work` on the same file, in a process of its own.
pid_t Start(const char* work) {
  const pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "sharedmap_file_cpp", work, path.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  return child;
}

int Wait(pid_t child) {
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

// Waits for something that a child does. Fails if the child ends before.
template <typename Condition>
void WaitUntil(pid_t child, Condition condition) {
  while (!condition()) {
    const bool runs = waitpid(child, nullptr, WNOHANG) == 0;
    CHECK(runs);
    if (!runs) std::exit(check_result());
    std::this_thread::sleep_for(1ms);
  }
}

// Adds to shared counters, and writes values that name their key.
void Work(Numbers& counts, Texts& texts, std::uint32_t seed) {
  std::uint32_t state = seed;
  for (std::uint32_t i = 0; i < kRounds; i++) {
    state = state * 1664525 + 1013904223;
    counts.increment(state >> 28);
    const std::string key = std::to_string((state >> 16) % 200);
    if (state % 8 == 0) {
      texts.remove(key);
    } else {
      texts.set(key, key + ":" + std::string((state >> 8) % 200, static_cast<char>('a' + key.size())));
    }
  }
}

bool IsRight(std::string_view key, std::string_view value) {
  return value.substr(0, key.size() + 1) == std::string(key) + ":" &&
         value.find_first_not_of(static_cast<char>('a' + key.size()), key.size() + 1) ==
             std::string_view::npos;
}

double Sum(const Numbers& counts) {
  double sum = 0;
  for (const auto& entry : counts.entries()) sum += entry.second;
  return sum;
}

void Remove() {
  std::remove(path.c_str());
  std::remove((path + "-texts").c_str());
}

void Files() {
  CHECK(status_of([] { Numbers::open(path); }) == OH_ERR_IO);
  oh_sharedmap_opened opened = {};
  {
    Numbers map = Numbers::open_or_create(path, Numbers::options(kBytes), &opened);
    CHECK(opened.created && !opened.repaired);
    map.set(1, 1.5);
    map.set(2, 2.5, 1h);
    // A thread of its own, through the same opening, also after the file was renamed.
    CHECK(std::rename(path.c_str(), (path + "-renamed").c_str()) == 0);
    std::thread([own = map.attach()]() mutable { own.set(3, 3.5); }).join();
    CHECK(std::rename((path + "-renamed").c_str(), path.c_str()) == 0);
    CHECK(map.get(3) == 3.5 && map.stats().participants == 1);
  }
  {
    Numbers map = Numbers::open_or_create(path, kBytes);
    CHECK(map.size() == 3 && map.get(1) == 1.5 && map.remaining_ttl(2)->count() > 3500000);
    const auto reader = offheap::SharedMapReader<std::uint32_t, double>::open(path);
    map.set(1, 9);
    CHECK(reader.get(1) == 9 && reader.attach().get(2) == 2.5 && reader.size() == 3 && Sum(map) == 15);
    CHECK(reader.stats().participants == 1);
  }
  auto how = Numbers::open_options();
  how.read_only = true;
  Numbers reader = Numbers::open(path, how, &opened);
  CHECK(!opened.created && reader.get(3) == 3.5);
  CHECK(status_of([&] { reader.set(1, 1); }) == OH_ERR_UNSUPPORTED);
  CHECK(status_of([&] { reader.get_or_compute(7, [] { return 1; }); }) == OH_ERR_UNSUPPORTED);
  CHECK(status_of([&] { reader.attach().remove(1); }) == OH_ERR_UNSUPPORTED && reader.get(1) == 9);
  how.read_only = false;
  how.repair = true;
  Numbers repaired = Numbers::open(path, how, &opened);
  CHECK(opened.repaired && opened.kept == 3 && opened.lost == 0);
  CHECK(status_of([] { Texts::open(path); }) == OH_ERR_TYPE);
  CHECK(status_of([] { Numbers::open_or_create(path, 2 * kBytes); }) == OH_ERR_RANGE);
  CHECK(status_of([] { Numbers::open(""); }) == OH_ERR_TYPE);
  CHECK(status_of([] { Numbers::open("/proc/self/maps"); }) != OH_OK);
  Remove();
}

void Processes() {
  Numbers counts = Numbers::open_or_create(path, kBytes);
  Texts texts = Texts::open_or_create(path + "-texts", kBytes);
  const pid_t children[] = {Start("work"), Start("work")};
  std::thread thread([numbers = counts.attach(), own = texts.attach()]() mutable { Work(numbers, own, 99); });
  std::size_t wrong = 0;
  for (int i = 0; i < 50; i++) {
    for (const auto [key, value] : texts.entries()) wrong += IsRight(key, value) ? 0u : 1u;
  }
  thread.join();
  for (const pid_t child : children) CHECK(Wait(child) == 0);
  CHECK(wrong == 0 && Sum(counts) == 3.0 * kRounds && counts.stats().participants == 1);
  counts.validate();
  texts.validate();

  // Of several processes one computes; when it is killed, another one does.
  const pid_t slow = Start("compute-forever");
  WaitUntil(slow, [&] { return texts.contains("computing"); });
  CHECK(kill(slow, SIGKILL) == 0);
  Wait(slow);
  CHECK(texts.get_or_compute("value", [] { return "mine"; }) == "mine");

  // Killed while it writes: everybody else goes on.
  const pid_t killed = Start("work-forever");
  const double before = Sum(counts);
  WaitUntil(killed, [&] { return Sum(counts) >= before + 100; });
  CHECK(kill(killed, SIGKILL) == 0);
  Wait(killed);
  for (std::uint32_t key = 0; key < 1000; key++) counts.set(key, 1);
  counts.validate();
  texts.clear();
  texts.validate();
  CHECK(counts.size() == 1000 && texts.empty() && counts.stats().participants == 1);
  counts.close();
  texts.close();
  Remove();
}

// What Start() starts.
int Child(std::string_view work) {
  Numbers counts = Numbers::open(path);
  Texts texts = Texts::open(path + "-texts");
  if (work == "work") {
    Work(counts, texts, static_cast<std::uint32_t>(getpid()));
  } else if (work == "compute-forever") {
    texts.get_or_compute("value", [&] {
      texts.set("computing", "");
      for (;;) std::this_thread::sleep_for(1s);
      return "";
    });
  } else {
    for (std::uint32_t seed = 0;; seed++) Work(counts, texts, seed);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    path = argv[2];
    return Child(argv[1]);
  }
  const char* folder = std::getenv("TMPDIR");
  path = std::string(folder ? folder : "/tmp") + "/oh-sharedmap-cpp-" + std::to_string(getpid());
  Remove();
  Files();
  Processes();
  return check_result();
}

#else

int main() {
  using Map = offheap::SharedMap<std::uint32_t, double>;
  CHECK(status_of([] { Map::open_or_create("map", 1 << 20); }) == OH_ERR_UNSUPPORTED);
  return check_result();
}

#endif
