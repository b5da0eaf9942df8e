// Tests of offheap::BitVector and RankSelect: owners, views, moves, bulk calls.
#include <utility>
#include <vector>

#include "check.h"
#include "offheap.hpp"
#include "status.hpp"

static void bits() {
  const std::uint32_t positions[] = {700, 3, 64};
  offheap::BitVector bits = offheap::BitVector::from_indices(positions, 3);
  CHECK(bits.size() == 701 && bits.count() == 3 && bits[64] && !bits.get(65));
  CHECK(bits.next(4) == 64 && bits.next(64, false) == 65 && bits.next(701) == offheap::BitVector::none);
  CHECK(bits.flip(65) && bits.count(64, 66) == 2);
  for (int i = 0; i < 100000; i++) bits.push(i % 3 == 0);
  CHECK(bits.size() == 100701 && bits[701] && bits[100700] && bits.count() == 4 + 33334);
  bits.validate();

  offheap::BitVector other(20);
  other.fill(0, 20, true);
  offheap::BitVector both = std::move(other);
  both &= bits;
  CHECK(both.size() == 20 && both.count() == 1);
  both |= bits;
  CHECK(both.size() == bits.size() && both.count() == bits.count());
  both -= bits;
  CHECK(both.count() == 0);
  both.invert(10, 20);
  both ^= bits;
  CHECK(both.count() == bits.count() + 10);
  std::vector<double> ones(bits.count());
  CHECK(bits.ones(0, ones.data(), ones.size()) == ones.size() && ones[0] == 3 && ones.back() == 100700);
  const offheap::BitVectorView view(bits.base(), bits.region_size());
  CHECK(view.count() == bits.count() && !view.empty());
  bits.resize(10);
  CHECK(bits.count() == 1);
  CHECK(status_of([&] { bits.set(10); }) == OH_ERR_RANGE);
}

static void rank_and_select() {
  offheap::BitVector bits(50000);
  for (std::uint64_t at = 0; at < bits.size(); at += 3) bits.set(at);
  for (const auto variant : {OH_RANKSELECT_FLAT, OH_RANKSELECT_INTERLEAVED, OH_RANKSELECT_SPARSE}) {
    offheap::RankSelect built(bits, variant);
    const offheap::RankSelect index = std::move(built);
    CHECK(index.variant() == variant && index.size() == 50000 && index.ones() == 16667);
    CHECK(index.rank1(3000) == 1000 && index.rank0(3000) == 2000 && index.rank1(50000) == 16667);
    CHECK(index.select1(1000) == 3000 && index.select0(2000) == 3001 && index.get(3000));
    const std::uint32_t ks[] = {16666, 0, 5};
    double found[3];
    index.many(OH_SELECT1, ks, 3, found);
    CHECK(found[0] == 49998 && found[1] == 0 && found[2] == 15);
    index.validate();
    const offheap::RankSelectView view(index.base(), index.region_size());
    CHECK(view.rank1(7) == 3);
    CHECK(status_of([&] { index.select1(16667); }) == OH_ERR_RANGE);
  }
}

int main() {
  bits();
  rank_and_select();
  return check_result();
}
