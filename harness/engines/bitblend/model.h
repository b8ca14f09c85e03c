/* What Python hands over: a quantised forest as arrays (ranks.py and program.py say how they are made). */

#ifndef BITBLEND_MODEL_H
#define BITBLEND_MODEL_H

#include <stdint.h>

/* Up to 255 ascending thresholds of one feature. Linear where n_levels is 0: `table` holds the thresholds. Else it
   holds a heap of row ends (1 << n_levels of them, the first unused, at least 16), then rows of 8 thresholds. */
struct column {
  int32_t feature, n_thresholds, n_levels, begin;
  int32_t exact; /* where its thresholds stand in `exact` in full, with an infinity after them */
  int32_t left_row, right_row; /* rows of ranks in which a missing value goes left or right; -1: none reads it */
};

/* Sets of categories of one feature. `codes` holds the code of a missing value, that of any value which no set lists,
   and that of each category from 0 on; a set has a bit for each code, and a row of ranks from `row` on. */
struct categories {
  int32_t feature, n_categories, codes, n_sets, set, row;
};

/* A subtree of 2 to 4 leaves: a split whose children are leaves or pairs of leaves. Indices 1 and 2 are the left and
   the right pair, unused where that child is a leaf. Leaves are numbered from left to right. */
struct bottom {
  uint16_t rank_row[3];
  int8_t bound[3]; /* ranks below it go left */
  uint8_t leaf;
};

/* Any other split: a blend of two rows of leaf numbers into a third, which may be one of them. */
struct top {
  uint16_t rank_row, left, right, out;
  int16_t bound; /* ranks below it go left */
};

/* A run of trees whose rows of leaf numbers fit in the cache together. Bottoms stand in four runs: leaf and leaf,
   leaf and pair, pair and leaf, pair and pair. */
struct group {
  int32_t n_bottoms[4];
  int32_t n_tops, n_trees;
};

struct tree {
  int32_t root;   /* row of leaf numbers */
  int32_t leaves; /* where its values begin, in int32: by byte planes where `permuted`, else one after the other */
  int32_t permuted;
};

struct model {
  int32_t n_features, n_columns, n_category_columns, n_rank_rows, n_leaf_rows, n_rows, n_groups;
  const struct column* columns;
  const float* tables;
  const double* exact;
  const struct categories* categories;
  const uint8_t *codes, *sets;
  const struct group* groups;
  const struct bottom* bottoms;
  const struct top* tops;
  const struct tree* trees;
  const int32_t* leaves;
  double base, scale; /* score = base + scale * sum of leaves */
  double no_category; /* numbers up to it are no category, above it they are cut off to one */
};

/* Trees that all candidates still there go through, before those leave whose sum is less than the k-th best plus `cut`.
   base: of scores behind it. */
struct stage {
  int32_t n_groups, n_bottoms, n_tops, n_trees;
  int64_t cut;
  double base;
};

struct exits {
  const struct stage* stages;
  int32_t n_stages, k; /* nobody goes on behind the last stage */
};

/* Candidates in rows of n_features, NaN for missing: float, or double where `wide`. */
struct candidates {
  const void* x;
  int wide;
};

#endif
