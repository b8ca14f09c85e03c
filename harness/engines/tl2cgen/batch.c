/* Scores candidate lists with the functions that TL2cgen wrote, one per unit (a run of neighbouring trees).

   A block of rows goes through one unit before the next, so that the unit's code stays in the instruction cache.
   Each row still adds its trees up in their own order, so the sum is bit for bit that of TL2cgen's predict().

   header.h is TL2cgen's: union Entry, predict_unit0, predict_unit1, ... batch.h is generated beside it: value_t,
   N_FEATURES, BLOCK_ROWS, BASE_SCORE, N_AVERAGED, EACH_UNIT, and where thresholds are quantised, QUANTIZED with the
   tables edges, edges_begin and by_category. */

#include "header.h"
#include "batch.h"

#define MISSING (-1)

#ifdef QUANTIZED
/* Replaces the values of one feature by their places among its ascending edges: twice the index of the edge that a
   value equals, else the odd number between its neighbours. That is the order which TL2cgen's comparisons read.
   All rows take a step of the binary search together, because one row's steps have to wait for one another. */
static void bin_feature(const float* x, int n_rows, const value_t* edge, int n_edges, union Entry* rows) {
  value_t value[BLOCK_ROWS];
  int low[BLOCK_ROWS];
  for (int row = 0; row < n_rows; ++row) {
    value[row] = x[row * N_FEATURES];
    low[row] = 0;
  }
  for (int n = n_edges, half; n > 1; n -= half) {
    half = n / 2;
    for (int row = 0; row < n_rows; ++row) low[row] += half * (edge[low[row] + half - 1] < value[row]);
  }
  for (int row = 0; row < n_rows; ++row) {
    const int below = low[row] + (edge[low[row]] < value[row]); /* edges below the value */
    const int between = below == n_edges || edge[below] != value[row];
    const int bin = 2 * below - between - (below == 0 && between); /* -2, for -1 marks a missing value */
    rows[row * N_FEATURES].qvalue = isnan(value[row]) ? MISSING : bin;
  }
}

static void load_rows(const float* x, int n_rows, union Entry* rows) {
  for (int feature = 0; feature < N_FEATURES; ++feature) {
    const int begin = edges_begin[feature], n_edges = edges_begin[feature + 1] - begin;
    if (n_edges > 0) bin_feature(x + feature, n_rows, edges + begin, n_edges, rows + feature); /* else never compared */
    if (!by_category[feature]) continue;
    for (int i = feature; i < n_rows * N_FEATURES; i += N_FEATURES) {
      rows[i].fvalue = x[i];
      rows[i].missing = isnan(x[i]) ? MISSING : rows[i].missing;
    }
  }
}
#else
static void load_rows(const float* x, int n_rows, union Entry* rows) {
  for (int i = 0; i < n_rows * N_FEATURES; ++i) {
    rows[i].fvalue = x[i];
    rows[i].missing = isnan(x[i]) ? MISSING : rows[i].missing;
  }
}
#endif

/* x: n_rows * N_FEATURES, row by row, NaN for missing; rows: room for BLOCK_ROWS rows; scores: n_rows. */
void score_rows(const float* x, int64_t n_rows, union Entry* rows, float* scores) {
  for (int64_t start = 0; start < n_rows; start += BLOCK_ROWS) {
    const int n = n_rows - start < BLOCK_ROWS ? (int)(n_rows - start) : BLOCK_ROWS;
    value_t sums[BLOCK_ROWS] = {0};
    load_rows(x + start * N_FEATURES, n, rows);
#define RUN_UNIT(k) \
    for (int row = 0; row < n; ++row) predict_unit##k(rows + row * N_FEATURES, sums + row);
    EACH_UNIT(RUN_UNIT)
    for (int row = 0; row < n; ++row) scores[start + row] = (float)(sums[row] / N_AVERAGED + BASE_SCORE);
  }
}
