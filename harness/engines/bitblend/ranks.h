/* Values to ranks: how many of a feature's thresholds lie below a value, as a byte less 128; 0 for a missing value.

   Few thresholds are compared one after the other, all candidates at once. Among many, a heap of up to 31 row ends in
   registers leads every candidate to a row of 8 thresholds (3 to 5 permutes for a whole vector), and one comparison of
   that row with the value counts the rest. */

#ifndef BITBLEND_RANKS_H
#define BITBLEND_RANKS_H

#include "model.h"
#include "vectors.h"

#define MAX_LANES 128
#define TILE_FEATURES 16
#define ROW 8

ALWAYS_INLINE void count_below(const float* threshold, int n_thresholds, const float* value, int n, int8_t* rank) {
  int32_t below[MAX_LANES];
  for (int i = 0; i < n; i += 4 * N_FLOATS) {
    ints_t count[4] = {{0}};
    const floats_t* x = (const floats_t*)(value + i);
    for (int j = 0; j < n_thresholds; ++j) {
      const floats_t t = threshold[j] - (floats_t){0};
      for (int v = 0; v < 4; ++v) count[v] -= (ints_t)(t < x[v]);
    }
    memcpy(below + i, count, sizeof count);
  }
  for (int i = 0; i < n; ++i) rank[i] = (int8_t)(below[i] - 128);
}

#if VECTOR_BYTES >= 32
ALWAYS_INLINE floats_t heap_entry(const floats_t* heap, ints_t at, int level) {
  const int first = (1 << level) / N_FLOATS;
  const floats_t low = __builtin_shuffle(heap[first], at); /* the index counts modulo N_FLOATS */
  if (1 << level <= N_FLOATS) return low;
  const floats_t high = __builtin_shuffle(heap[first + 1], at);
  const ints_t odd = (at & N_FLOATS) != 0;
  return (floats_t)(((ints_t)high & odd) | ((ints_t)low & ~odd));
}

ALWAYS_INLINE int row_below(const float* row, const float* value) {
  const __m256 x = _mm256_broadcast_ss(value);
#if VECTOR_BYTES == 64
  return __builtin_popcount(_mm256_cmp_ps_mask(_mm256_loadu_ps(row), x, _CMP_LT_OQ));
#else
  return __builtin_popcount(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(row), x, _CMP_LT_OQ)));
#endif
}

ALWAYS_INLINE void search(const float* table, const int n_levels, const float* value, int n, int8_t* rank) {
  const int heap_size = n_levels < 5 ? 16 : 32, first = 1 << n_levels;
  const float* rows = table + heap_size - first * ROW;
  const int bias = first * ROW + 128;
  for (int i = 0; i < n; i += N_FLOATS) {
    const floats_t x = *(const floats_t*)(value + i);
    ints_t at = 1 - (ints_t){0};
    for (int level = 0; level < n_levels; ++level) {
      at += at - (ints_t)(heap_entry((const floats_t*)table, at, level) < x);
    }
    int32_t row[N_FLOATS];
    memcpy(row, &at, sizeof row);
#pragma GCC unroll 16
    for (int j = 0; j < N_FLOATS; ++j) {
      rank[i + j] = (int8_t)(row[j] * ROW + row_below(rows + row[j] * ROW, value + i + j) - bias);
    }
  }
}
#else
ALWAYS_INLINE void search(const float* table, const int n_levels, const float* value, int n, int8_t* rank) {
  const int heap_size = n_levels < 5 ? 16 : 32, first = 1 << n_levels;
  const float* rows = table + heap_size - first * ROW;
  for (int i = 0; i < n; ++i) {
    int at = 1, below = 0;
    for (int level = 0; level < n_levels; ++level) at = 2 * at + (table[at] < value[i]);
    for (int j = 0; j < ROW; ++j) below += rows[at * ROW + j] < value[i];
    rank[i] = (int8_t)((at - first) * ROW + below - 128);
  }
}
#endif

static void rank_column(const struct column* c, const float* table, const float* value, int n, int8_t* rank) {
  switch (c->n_levels) {
    case 0: count_below(table, c->n_thresholds, value, n, rank); break;
    case 2: search(table, 2, value, n, rank); break;
    case 3: search(table, 3, value, n, rank); break;
    case 4: search(table, 4, value, n, rank); break;
    default: search(table, 5, value, n, rank);
  }
}

/* Features in columns: tile[f][i] is feature `first + f` of candidate i. */
static void transpose(const float* x, int n_features, int n, int first, int n_tile, float tile[][MAX_LANES]) {
  for (int f = 0; f < n_tile; ++f) {
    for (int i = 0; i < n; ++i) tile[f][i] = x[(int64_t)i * n_features + first + f];
  }
}

/* Fills the rows of ranks of n candidates; a row is `stride` bytes. */
static void rank_block(const struct model* m, const float* x, int n, int8_t* ranks, int stride) {
  _Alignas(64) float tile[TILE_FEATURES][MAX_LANES] = {{0}};
  _Alignas(64) int8_t rank[MAX_LANES];
  const int rounded = (n + N_FLOATS - 1) / N_FLOATS * N_FLOATS;
  int first = 0, end = 0;
  for (int k = 0; k < m->n_columns; ++k) {
    const struct column* c = m->columns + k;
    if (c->feature >= end) {
      first = c->feature;
      end = first + TILE_FEATURES < m->n_features ? first + TILE_FEATURES : m->n_features;
      transpose(x, m->n_features, n, first, end - first, tile);
    }
    const float* value = tile[c->feature - first];
    rank_column(c, m->tables + c->begin, value, rounded, rank);
    if (c->left_row >= 0) memcpy(ranks + c->left_row * stride, rank, stride);
    if (c->right_row >= 0) {
      int8_t* right = ranks + c->right_row * stride;
      for (int i = 0; i < rounded; ++i) right[i] = value[i] != value[i] ? 127 : rank[i];
    }
  }
}

#endif
