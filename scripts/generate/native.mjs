/** The tables of the core (Rust), the C ABI, the C++ headers and the binding. */
import { ELEMENTS, KINDS, NOTICE, NUMBERS } from './schema.mjs';

/** @param {readonly string[]} lines */
const text = (lines) => lines.join('\n');
/** `u8` -> `U8`, `string` -> `String`. @param {string} name */
const pascal = (name) => name[0].toUpperCase() + name.slice(1);

// ---- Rust

export function rustTypes() {
  const widths = [...new Set(ELEMENTS.map(({ width }) => width))].sort((a, b) => (a || 9) - (b || 9));
  const arm = (/** @type {number} */ width) => {
    const names = ELEMENTS.filter((element) => element.width === width).map(({ name }) => pascal(name));
    return `            ${names.map((name) => `Type::${name}`).join(' | ')} => ${width},`;
  };
  return text([
    '/// The type of an element. The discriminants are the codes stored in headers.',
    '#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]',
    '#[repr(u32)]',
    'pub enum Type {',
    ...ELEMENTS.flatMap(({ name, code, doc }) => [`    /// ${doc}`, `    ${pascal(name)} = ${code},`]),
    '}',
    '',
    'impl Type {',
    '    /// Every type, in the order of its code.',
    `    pub const ALL: [Type; ${ELEMENTS.length}] = [`,
    ...ELEMENTS.map(({ name }) => `        Type::${pascal(name)},`),
    '    ];',
    '',
    '    /// Bytes of an element in a column: 0 if the type has none.',
    '    #[inline]',
    '    #[must_use]',
    '    pub const fn width(self) -> usize {',
    '        match self {',
    ...widths.map(arm),
    '        }',
    '    }',
    '}',
  ]);
}

export const rustKinds = () =>
  text(
    KINDS.flatMap(({ doc, type, code, oldest, version }) => [
      `    /// ${doc}`,
      `    ${type} = ${code}, version ${oldest} to ${version};`,
    ]),
  );

// ---- C and C++

export const cTypes = () =>
  text(
    ELEMENTS.flatMap(({ name, code, cDoc }) => [
      ...cDoc.split('\n').map((line) => `    /// ${line}`),
      `    OH_TYPE_${name.toUpperCase()} = ${code},`,
    ]),
  );

export const codecs = () =>
  text(
    NUMBERS.flatMap(({ name, c }) => {
      const type = /_t$/.test(c ?? '') ? `std::${c}` : c;
      return [
        'template <>',
        `struct Codec<${type}> : NumberCodec<${type}, OH_TYPE_${name.toUpperCase()}> {};`,
      ];
    }),
  );

/** `BigUint64Array` -> `napi_biguint64_array`. @param {string} array */
const napi = (array) =>
  `napi_${array
    .replace(/Array$/, '')
    .replace('Clamped', '_clamped')
    .toLowerCase()}_array`;

export function bindingElements() {
  const order = ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32'];
  const arrays = [...order, 'Float64', 'BigInt64', 'BigUint64'].map((name) => `${name}Array`);
  const of = (/** @type {string} */ array) =>
    NUMBERS.find((element) => element.array === array.replace('Clamped', ''));
  return `// The typed array of each type of elements, and the reverse.\n// ${NOTICE}
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "offheap.h"

namespace offheap {

struct ArrayType {
  napi_typedarray_type array;
  const char* name;
  size_t width;
  uint32_t type;
};

// Indexed by napi_typedarray_type. A clamped array contains the same bytes as a Uint8Array.
constexpr ArrayType kArrayTypes[] = {
${text(arrays.map((array) => `    {${napi(array)}, "${array}", ${of(array)?.width}, OH_TYPE_${of(array)?.name.toUpperCase()}},`))}
};

constexpr bool ArrayTypesAreIndexed() {
  for (size_t i = 0; i < std::size(kArrayTypes); i++) {
    if (kArrayTypes[i].array != static_cast<napi_typedarray_type>(i)) return false;
  }
  return true;
}
static_assert(ArrayTypesAreIndexed());

// An array type that is newer than this table has no name, and its type 0 is not an oh_type.
constexpr ArrayType kUnknownArray = {napi_uint8_array, "typed array", 1, 0};

inline const ArrayType& ArrayTypeOf(napi_typedarray_type array) {
  const size_t index = static_cast<size_t>(array);
  return index < std::size(kArrayTypes) ? kArrayTypes[index] : kUnknownArray;
}

// Indexed by oh_type: the array that shows a column of plain data, and -1 for other types.
constexpr int kArrayOfElement[] = {
    -1,
${text(ELEMENTS.map(({ c, array }) => `    ${c === undefined ? '-1' : napi(array ?? '')},`))}
};

inline int ArrayOfElement(uint32_t type) {
  return type < std::size(kArrayOfElement) ? kArrayOfElement[type] : -1;
}

}  // namespace offheap
`;
}
