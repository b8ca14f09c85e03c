/* The way in: a buffer for a block of candidates, and batch.c's loop over the blocks. */

#include "ranker.h"
#include "batch.c"

int ranker_score(const float* x, int64_t n_rows, float* scores) {
  union Entry* rows = malloc(sizeof(union Entry) * BLOCK_ROWS * N_FEATURES);
  if (rows == NULL) return -1;
  score_rows(x, n_rows, rows, scores);
  free(rows);
  return 0;
}
