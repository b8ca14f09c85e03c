/* Values to ranks: how many of a feature's thresholds lie below a value, as a byte less 128; 0 for a missing value.
   A double is ranked as the largest float up to it among the thresholds cut to floats, and settled by the full ones.

   Few thresholds are compared one after the other, all candidates at once. Among many, a heap of up to 31 row ends in
   registers leads every candidate to a row of 8 thresholds (3 to 5 permutes for a whole vector), and one comparison of
   that row with the value counts the rest. */

#ifndef BITBLEND_RANKS_H
#define BITBLEND_RANKS_H

#include <math.h>

#include "model.h"
#include "vectors.h"

#define TILE_FEATURES 16
#define ROW 8

ALWAYS_INLINE void count_vectors(const float* threshold, int n_thresholds, const float* value, int8_t* rank,
                                 const int vectors) {
  ints_t count[4] = {{0}};
  for (int j = 0; j < n_thresholds; ++j) {
    const floats_t t = threshold[j] - (floats_t){0};
    for (int v = 0; v < vectors; ++v) count[v] -= (ints_t)(t < ((const floats_t*)value)[v]);
  }
  for (int v = 0; v < vectors; ++v) ((narrow_t*)rank)[v] = narrowed(count[v] - 128);
}

static void count_below(const float* threshold, int n_thresholds, const float* value, int n, int8_t* rank) {
  int i = 0;
  for (; i + 4 * N_FLOATS <= n; i += 4 * N_FLOATS) count_vectors(threshold, n_thresholds, value + i, rank + i, 4);
  for (; i < n; i += N_FLOATS) count_vectors(threshold, n_thresholds, value + i, rank + i, 1);
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

/* Features in columns: tile[f][i] is feature `first + f` of candidate i. The last candidate fills up to `rounded`. */
static void transpose(const float* x, int n_features, int n, int rounded, int first, int n_tile,
                      float tile[][MAX_LANES]) {
  for (int i = 0; i < rounded; i += 4) {
    const float* row[4];
    for (int k = 0; k < 4; ++k) row[k] = x + (int64_t)(i + k < n ? i + k : n - 1) * n_features + first;
    for (int k = 0; k < 4; ++k) __builtin_prefetch(row[k] + 2 * n_tile - 1); /* the end of the next tile */
    int f = 0;
    for (; f + 4 <= n_tile; f += 4) {
      four_t a, b, c, d;
      memcpy(&a, row[0] + f, sizeof a), memcpy(&b, row[1] + f, sizeof b);
      memcpy(&c, row[2] + f, sizeof c), memcpy(&d, row[3] + f, sizeof d);
      const four_i low = {0, 4, 1, 5}, high = {2, 6, 3, 7}, first_half = {0, 1, 4, 5}, second_half = {2, 3, 6, 7};
      const four_t ab = __builtin_shuffle(a, b, low), cd = __builtin_shuffle(c, d, low);
      const four_t ab_high = __builtin_shuffle(a, b, high), cd_high = __builtin_shuffle(c, d, high);
      *(four_t*)&tile[f][i] = __builtin_shuffle(ab, cd, first_half);
      *(four_t*)&tile[f + 1][i] = __builtin_shuffle(ab, cd, second_half);
      *(four_t*)&tile[f + 2][i] = __builtin_shuffle(ab_high, cd_high, first_half);
      *(four_t*)&tile[f + 3][i] = __builtin_shuffle(ab_high, cd_high, second_half);
    }
    for (; f < n_tile; ++f) {
      for (int k = 0; k < 4; ++k) tile[f][i + k] = row[k][f];
    }
  }
}

/* The same for doubles: the largest float up to each. */
static void transpose_floored(const double* x, int n_features, int n, int rounded, int first, int n_tile,
                              float tile[][MAX_LANES]) {
  for (int i = 0; i < rounded; ++i) {
    const double* row = x + (int64_t)(i < n ? i : n - 1) * n_features + first;
    for (int f = 0; f < n_tile; ++f) {
      const float near = (float)row[f];
      tile[f][i] = near > row[f] ? nextafterf(near, -INFINITY) : near;
    }
  }
}

/* Counts also those thresholds below a double that are not told from it as floats. */
static void settle(const double* threshold, const double* value, int n_features, int n, int8_t* rank) {
  for (int i = 0; i < n; ++i, value += n_features) {
    int below = rank[i] + 128;
    while (threshold[below] < *value) ++below;
    rank[i] = (int8_t)(below - 128);
  }
}

/* The row in which missing values go right: the highest byte in place of the lowest. */
ALWAYS_INLINE void send_missing_right(const float* value, int n, const int8_t* rank, int8_t* right) {
  for (int i = 0; i < n; i += N_FLOATS) {
    const floats_t x = *(const floats_t*)(value + i);
    *(narrow_t*)(right + i) = *(const narrow_t*)(rank + i) ^ narrowed((ints_t)(x != x));
  }
}

/* Fills the rows of ranks of n candidates; a row is `stride` bytes. */
static void rank_block(const struct model* m, struct candidates rows, int n, int8_t* ranks, int stride) {
  _Alignas(64) float tile[TILE_FEATURES][MAX_LANES];
  const int rounded = (n + N_FLOATS - 1) / N_FLOATS * N_FLOATS;
  const struct column *c = m->columns, *const end = c + m->n_columns;
  while (c < end) {
    const int first = c->feature, left = m->n_features - first;
    const int n_tile = left < TILE_FEATURES ? left : TILE_FEATURES;
    const struct column* const begin = c;
    if (rows.wide) {
      transpose_floored(rows.x, m->n_features, n, rounded, first, n_tile, tile);
    } else {
      transpose(rows.x, m->n_features, n, rounded, first, n_tile, tile);
    }
    for (; c < end && c->feature < first + n_tile; ++c) {
      const int row = c->left_row >= 0 ? c->left_row : c->right_row;
      int8_t* rank = ranks + (int64_t)row * stride;
      rank_column(c, m->tables + c->begin, tile[c->feature - first], rounded, rank);
      if (rows.wide) settle(m->exact + c->exact, (const double*)rows.x + c->feature, m->n_features, n, rank);
    }
    for (const struct column* own = begin; own < c; ++own) { /* by now the bytes just written can be read as vectors */
      if (own->right_row < 0) continue;
      int8_t* right = ranks + (int64_t)own->right_row * stride;
      const int8_t* rank = own->left_row >= 0 ? ranks + (int64_t)own->left_row * stride : right;
      send_missing_right(tile[own->feature - first], rounded, rank, right);
    }
  }
}

#endif
