/* Leaf numbers to sums of leaf values, which are whole numbers of one scale: sums are exact and need no order.

   Up to 64 leaves are looked up by byte permutes, a plane for each of the four bytes, and put together by unpacking;
   sums then stand in the order that unpacking leaves them in, which `candidate_of` undoes once per block. */

#ifndef BITBLEND_LEAVES_H
#define BITBLEND_LEAVES_H

#include "model.h"
#include "vectors.h"

#define PLANE_BYTES 64

#if VECTOR_BYTES == 64
#define PERMUTED_LEAVES 64
#define UNPACK(part, width, a, b) _mm512_unpack##part##_epi##width(a, b)
#define WIDE __m512i
ALWAYS_INLINE WIDE look_up(const uint8_t* plane, WIDE leaf) {
  return _mm512_permutexvar_epi8(leaf, _mm512_loadu_si512(plane));
}
#define ADD(a, b) _mm512_add_epi32(a, b)
#elif VECTOR_BYTES == 32
#define PERMUTED_LEAVES 64
#define UNPACK(part, width, a, b) _mm256_unpack##part##_epi##width(a, b)
#define WIDE __m256i
ALWAYS_INLINE WIDE look_up(const uint8_t* plane, WIDE leaf) {
  WIDE found[4];
  for (int q = 0; q < 4; ++q) {
    const WIDE quarter = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)plane + q));
    found[q] = _mm256_shuffle_epi8(quarter, leaf);
  }
  const WIDE bit4 = _mm256_slli_epi16(leaf, 3), bit5 = _mm256_slli_epi16(leaf, 2); /* in the bit that blends read */
  return _mm256_blendv_epi8(_mm256_blendv_epi8(found[0], found[1], bit4),
                            _mm256_blendv_epi8(found[2], found[3], bit4), bit5);
}
#define ADD(a, b) _mm256_add_epi32(a, b)
#else
#define PERMUTED_LEAVES 0
#endif

#if PERMUTED_LEAVES
static void sum_permuted(const struct tree* tree, int n_trees, const int32_t* leaves, const lanes_t* rows, int vectors,
                         uint32_t* sums) {
  for (int v = 0; v < vectors; ++v) {
    WIDE* sum = (WIDE*)(sums + v * VECTOR_BYTES);
    WIDE a = sum[0], b = sum[1], c = sum[2], d = sum[3];
    for (int t = 0; t < n_trees; ++t) {
      if (!tree[t].permuted) continue;
      const uint8_t* plane = (const uint8_t*)(leaves + tree[t].leaves);
      const WIDE leaf = (WIDE)rows[(int64_t)tree[t].root * vectors + v];
      const WIDE byte0 = look_up(plane, leaf), byte1 = look_up(plane + PLANE_BYTES, leaf);
      const WIDE byte2 = look_up(plane + 2 * PLANE_BYTES, leaf), byte3 = look_up(plane + 3 * PLANE_BYTES, leaf);
      const WIDE low01 = UNPACK(lo, 8, byte0, byte1), high01 = UNPACK(hi, 8, byte0, byte1);
      const WIDE low23 = UNPACK(lo, 8, byte2, byte3), high23 = UNPACK(hi, 8, byte2, byte3);
      a = ADD(a, UNPACK(lo, 16, low01, low23));
      b = ADD(b, UNPACK(hi, 16, low01, low23));
      c = ADD(c, UNPACK(lo, 16, high01, high23));
      d = ADD(d, UNPACK(hi, 16, high01, high23));
    }
    sum[0] = a, sum[1] = b, sum[2] = c, sum[3] = d;
  }
}

/* Where the sum of a block's candidate stands: unpacking interleaves within each 16 bytes. */
ALWAYS_INLINE int place_of(int candidate) {
  const int lane = candidate % VECTOR_BYTES;
  return candidate - lane + lane % 16 / 4 * N_FLOATS + lane / 16 * 4 + lane % 4;
}
#endif

static void sum_listed(const struct tree* tree, int n_trees, const int32_t* leaves, const lanes_t* rows, int vectors,
                       uint32_t* sums) {
  for (int t = 0; t < n_trees; ++t) {
    if (tree[t].permuted) continue;
    const uint8_t* leaf = (const uint8_t*)(rows + (int64_t)tree[t].root * vectors);
    const int32_t* value = leaves + tree[t].leaves;
    for (int i = 0; i < vectors * VECTOR_BYTES; ++i) sums[i] += (uint32_t)value[leaf[i]];
  }
}

#endif
