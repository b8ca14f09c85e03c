/* The blends: some trees of a model, from rows of ranks to sums of leaf values, for up to a block of candidates. */

#ifndef BITBLEND_BLENDS_H
#define BITBLEND_BLENDS_H

#include "leaves.h"
#include "model.h"
#include "vectors.h"

/* Groups of trees that stand one after the other. */
struct run {
  const struct group* groups;
  const struct bottom* bottoms;
  const struct top* tops;
  const struct tree* trees;
  int n_groups;
};

ALWAYS_INLINE lanes_t* row_of(const lanes_t* rows, unsigned index, const int vectors) {
  return (lanes_t*)((char*)rows + index * (size_t)(vectors * VECTOR_BYTES));
}

ALWAYS_INLINE const struct bottom* run_bottoms(const struct bottom* op, int n, const lanes_t* ranks, lanes_t* out,
                                               const int vectors, const int left_pair, const int right_pair) {
  for (int k = 0; k < n; ++k, ++op, out += vectors) {
    const lanes_t *rank = row_of(ranks, op->rank_row[0], vectors), bound = splat(op->bound[0]);
    const lanes_t *left_rank = row_of(ranks, op->rank_row[1], vectors), left_bound = splat(op->bound[1]);
    const lanes_t *right_rank = row_of(ranks, op->rank_row[2], vectors), right_bound = splat(op->bound[2]);
    const lanes_t last_left = splat((int8_t)(op->leaf + left_pair)), last_right = last_left + (int8_t)(right_pair + 1);
    for (int v = 0; v < vectors; ++v) {
      const mask_t goes_left = below(rank[v], bound);
      if (!left_pair && !right_pair) {
        out[v] = one_less(goes_left, last_right);
        continue;
      }
      const lanes_t left = left_pair ? one_less(below(left_rank[v], left_bound), last_left) : last_left;
      const lanes_t right = right_pair ? one_less(below(right_rank[v], right_bound), last_right) : last_right;
      out[v] = blend(goes_left, left, right);
    }
  }
  return op;
}

ALWAYS_INLINE const struct top* run_tops(const struct top* op, int n, const lanes_t* ranks, lanes_t* rows,
                                         const int vectors) {
  for (int k = 0; k < n; ++k, ++op) {
    const lanes_t *rank = row_of(ranks, op->rank_row, vectors), bound = splat((int8_t)op->bound);
    const lanes_t *left = row_of(rows, op->left, vectors), *right = row_of(rows, op->right, vectors);
    lanes_t* out = row_of(rows, op->out, vectors);
    for (int v = 0; v < vectors; ++v) out[v] = blend(below(rank[v], bound), left[v], right[v]);
  }
  return op;
}

struct sums {
  _Alignas(64) uint32_t permuted[MAX_LANES], listed[MAX_LANES];
};

ALWAYS_INLINE void run_trees(const struct model* m, struct run run, const lanes_t* ranks, lanes_t* rows, struct sums* sums,
                             uint8_t* leaf_numbers, int64_t n_all, int n, const int vectors) {
  const struct bottom* bottom = run.bottoms;
  const struct top* top = run.tops;
  const struct tree* tree = run.trees;
  for (int i = 0; i < m->n_leaf_rows; ++i) {
    for (int v = 0; v < vectors; ++v) rows[i * vectors + v] = splat((int8_t)i);
  }
  for (int g = 0; g < run.n_groups; ++g) {
    const struct group* group = run.groups + g;
    const int* count = group->n_bottoms;
    lanes_t* out = rows + m->n_leaf_rows * vectors;
    bottom = run_bottoms(bottom, count[0], ranks, out, vectors, 0, 0), out += count[0] * vectors;
    bottom = run_bottoms(bottom, count[1], ranks, out, vectors, 0, 1), out += count[1] * vectors;
    bottom = run_bottoms(bottom, count[2], ranks, out, vectors, 1, 0), out += count[2] * vectors;
    bottom = run_bottoms(bottom, count[3], ranks, out, vectors, 1, 1);
    top = run_tops(top, group->n_tops, ranks, rows, vectors);
    if (leaf_numbers) {
      for (int t = 0; t < group->n_trees; ++t, leaf_numbers += n_all) {
        memcpy(leaf_numbers, rows + tree[t].root * vectors, n);
      }
    } else {
#if PERMUTED_LEAVES
      sum_permuted(tree, group->n_trees, m->leaves, rows, vectors, sums->permuted);
#endif
      sum_listed(tree, group->n_trees, m->leaves, rows, vectors, sums->listed);
    }
    tree += group->n_trees;
  }
}

/* Of n candidates, how many a block takes from `start` on. */
ALWAYS_INLINE int block_of(int64_t n, int64_t start) { return n - start < MAX_LANES ? (int)(n - start) : MAX_LANES; }

static int vectors_of(int n) {
  const int needed = (n + VECTOR_BYTES - 1) / VECTOR_BYTES;
  return needed > 4 ? 8 : needed;
}

/* A row of ranks is as long as `vectors_of(n)` vectors. Adds to sums, or writes leaf numbers where there is a place. */
static void run_ranked(const struct model* m, struct run run, const int8_t* ranks, int n, int8_t* scratch,
                       struct sums* sums, uint8_t* leaf_numbers, int64_t n_all) {
  const lanes_t* own = (const lanes_t*)ranks;
  lanes_t* rows = (lanes_t*)scratch;
  switch (vectors_of(n)) {
    case 1: run_trees(m, run, own, rows, sums, leaf_numbers, n_all, n, 1); break;
    case 2: run_trees(m, run, own, rows, sums, leaf_numbers, n_all, n, 2); break;
#if VECTOR_BYTES < 64
    case 3: run_trees(m, run, own, rows, sums, leaf_numbers, n_all, n, 3); break;
    case 4: run_trees(m, run, own, rows, sums, leaf_numbers, n_all, n, 4); break;
#endif
#if VECTOR_BYTES < 32
    case 8: run_trees(m, run, own, rows, sums, leaf_numbers, n_all, n, 8); break;
#endif
  }
}

ALWAYS_INLINE uint32_t sum_of(const struct sums* sums, int candidate) {
  uint32_t sum = sums->listed[candidate];
#if PERMUTED_LEAVES
  sum += sums->permuted[place_of(candidate)];
#endif
  return sum;
}

#endif
