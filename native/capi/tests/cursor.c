/* Cursors from C: bytes, varints, text, and false lengths. */
#include <string.h>

#include "check.h"
#include "offheap.h"

static oh_cursor over(const void* base, size_t size) {
  oh_cursor cursor = {base, size, 0};
  return cursor;
}

static void reading(void) {
  const unsigned char bytes[] = {1, 0, 0, 0, 0xAC, 0x02, 5, 'h', 'e', 'l', 'l', 'o', 0xC3, 0xA9, 9};
  oh_cursor cursor = over(bytes, sizeof bytes);
  const void* at = NULL;
  CHECK(oh_cursor_take(&cursor, 4, &at) == OH_OK && at == bytes && cursor.position == 4);
  uint64_t value = 0;
  CHECK(oh_cursor_varint(&cursor, &value) == OH_OK && value == 300 && cursor.position == 6);
  oh_text text = {NULL, 0};
  CHECK(oh_cursor_text(&cursor, &text) == OH_OK && text.length == 5 && memcmp(text.data, "hello", 5) == 0);
  CHECK(oh_cursor_text_of(&cursor, 1, &text) == OH_ERR_CORRUPT && cursor.position == 12 && text.length == 5);
  CHECK(oh_cursor_text_of(&cursor, 2, &text) == OH_OK && text.data == (const char*)bytes + 12);
  CHECK(oh_cursor_take(&cursor, 2, &at) == OH_ERR_RANGE && cursor.position == 14);
  CHECK(oh_cursor_take(&cursor, 1, &at) == OH_OK && *(const unsigned char*)at == 9);
  CHECK(oh_cursor_take(&cursor, 0, &at) == OH_OK && oh_cursor_take(&cursor, 1, &at) == OH_ERR_RANGE);
}

static void lies(void) {
  static const unsigned char endless[40] = {
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  };
  uint64_t value = 7;
  oh_text text = {NULL, 0};
  const void* at = NULL;
  oh_cursor cursor = over(endless, sizeof endless);
  CHECK(oh_cursor_varint(&cursor, &value) == OH_ERR_CORRUPT && value == 7 && cursor.position == 0);
  CHECK(oh_cursor_text(&cursor, &text) == OH_ERR_CORRUPT && cursor.position == 0);
  cursor = over(endless, 9);
  CHECK(oh_cursor_varint(&cursor, &value) == OH_ERR_RANGE && cursor.position == 0);
  /* A text of 2^63 bytes, and one of 2^32 - 1. */
  const unsigned char large[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 'a'};
  cursor = over(large, sizeof large);
  CHECK(oh_cursor_text(&cursor, &text) == OH_ERR_RANGE && cursor.position == 0);
  const unsigned char four[] = {0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 'a'};
  cursor = over(four, sizeof four);
  CHECK(oh_cursor_text(&cursor, &text) == OH_ERR_RANGE && cursor.position == 0);
  CHECK(oh_cursor_text_of(&cursor, SIZE_MAX, &text) == OH_ERR_RANGE);
  CHECK(oh_cursor_take(&cursor, SIZE_MAX, &at) == OH_ERR_RANGE && at == NULL);
  /* An invalid position. */
  cursor.position = SIZE_MAX;
  CHECK(oh_cursor_take(&cursor, 1, &at) == OH_ERR_RANGE && oh_cursor_varint(&cursor, &value) == OH_ERR_RANGE);
  cursor = over(NULL, 0);
  CHECK(oh_cursor_varint(&cursor, &value) == OH_ERR_RANGE);
  CHECK(oh_cursor_text_of(&cursor, 0, &text) == OH_OK && text.length == 0);
  cursor = over(NULL, 5);
  CHECK(oh_cursor_varint(&cursor, &value) == OH_ERR_TYPE);
  CHECK(oh_cursor_varint(NULL, &value) == OH_ERR_TYPE && oh_cursor_varint(&cursor, NULL) == OH_ERR_TYPE);
}

int main(void) {
  reading();
  lies();
  return check_result();
}
