/* Rolling hashes from C: windows, cut points, and invalid arguments. */
#include <string.h>

#include "check.h"
#include "offheap.h"

static uint8_t bytes[20000];

static uint32_t of(const void* from, size_t length) {
  uint32_t hash = 0;
  CHECK(oh_rollinghash_of(from, length, &hash) == OH_OK);
  return hash;
}

static void windows(void) {
  oh_rollinghash* rolling = NULL;
  uint32_t hash = 0;
  CHECK(oh_rollinghash_new(48, &rolling) == OH_OK && oh_rollinghash_value(rolling) == 0);
  for (size_t i = 0; i < 200; i++) {
    CHECK(oh_rollinghash_is_full(rolling) == (i >= 48));
    CHECK(oh_rollinghash_update(rolling, bytes + i, 1, &hash) == OH_OK);
    const size_t from = i + 1 < 48 ? 0 : i + 1 - 48;
    CHECK(hash == of(bytes + from, i + 1 - from) && oh_rollinghash_value(rolling) == hash);
  }
  CHECK(oh_rollinghash_update(rolling, bytes, 1000, &hash) == OH_OK && hash == of(bytes + 952, 48));
  CHECK(oh_rollinghash_reset(rolling) == OH_OK && !oh_rollinghash_is_full(rolling));

  /* A cut point depends only on the 48 bytes before it. */
  size_t done = 0, cuts = 0;
  oh_rollinghash_place place;
  do {
    CHECK(oh_rollinghash_find(rolling, bytes + done, sizeof bytes - done, 6, &place) == OH_OK);
    done += place.end;
    CHECK(place.hash == of(bytes + done - 48, 48));
    if (place.is_cut) {
      CHECK(place.hash < 1u << 26);
      cuts++;
    }
  } while (place.is_cut);
  CHECK(done == sizeof bytes && cuts > 100);
  oh_rollinghash_place scanned;
  CHECK(oh_rollinghash_scan(bytes, sizeof bytes, 48, of(bytes, 48), 6, &scanned) == OH_OK && scanned.is_cut);
  CHECK(scanned.hash == of(bytes + scanned.end - 48, 48));
  oh_rollinghash_free(rolling);
}

static void what_is_refused(void) {
  oh_rollinghash* rolling = NULL;
  uint32_t hash = 7;
  oh_rollinghash_place place = {5, 5, false};
  CHECK(oh_rollinghash_new(0, &rolling) == OH_ERR_RANGE && rolling == NULL);
  CHECK(oh_rollinghash_new((1u << 24) + 1, &rolling) == OH_ERR_RANGE);
  CHECK(oh_rollinghash_new(8, NULL) == OH_ERR_TYPE);
  CHECK(oh_rollinghash_new(8, &rolling) == OH_OK);
  CHECK(oh_rollinghash_update(rolling, NULL, 1, &hash) == OH_ERR_TYPE && hash == 7);
  CHECK(oh_rollinghash_update(NULL, bytes, 1, &hash) == OH_ERR_TYPE);
  CHECK(oh_rollinghash_update(rolling, NULL, 0, &hash) == OH_OK && hash == 0);
  CHECK(oh_rollinghash_find(rolling, bytes, 9, 0, &place) == OH_ERR_RANGE);
  CHECK(oh_rollinghash_find(rolling, bytes, 9, 33, &place) == OH_ERR_RANGE && place.end == 5);
  CHECK(oh_rollinghash_scan(bytes, 7, 8, 0, 5, &place) == OH_ERR_RANGE);
  CHECK(oh_rollinghash_scan(NULL, 9, 8, 0, 5, &place) == OH_ERR_TYPE);
  CHECK(oh_rollinghash_reset(NULL) == OH_ERR_TYPE);
  CHECK(oh_rollinghash_value(NULL) == 0 && !oh_rollinghash_is_full(NULL));
  oh_rollinghash_free(rolling);
  oh_rollinghash_free(NULL);
}

int main(void) {
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)((i * i >> 3) ^ (i >> 7));
  windows();
  what_is_refused();
  return check_result();
}
