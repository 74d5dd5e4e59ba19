/* The n-tuple memory of ntuple.py in C99, without floating-point arithmetic: for devices that have
 * none. It holds the same rows at the same places, and predicts the same, bit for bit
 * (tests/weightless/test_c.py).
 *
 * Memory is the caller's. A pattern is packed: bit b is bit b % 8 of byte b / 8. Residuals are in
 * whole units, such as sixteenths of a star. A row takes 12 bytes; a rating adds at most a row a
 * tuple. Where ratings are few, nt_match predicts from stored patterns, without any row.
 */
#include <stdint.h>

struct nt_row { uint32_t key; int32_t sum, count; }; /* key 0: free */

struct nt_memory {
    const uint16_t *places; /* [tuples][n], the bits of each tuple */
    uint16_t tuples;
    uint8_t n;            /* at most 16; tuples * 2^n fits 32 bits */
    int32_t prior;        /* lambda * tuples, at least 1 */
    struct nt_row *rows;  /* all zero at first */
    uint32_t room;        /* of rows, a power of two */
    uint32_t used;        /* 0 at first; at most three quarters of room */
};

static uint32_t key_of(const struct nt_memory *m, const uint8_t *pattern, uint16_t tuple)
{
    const uint16_t *places = m->places + (uint32_t)tuple * m->n;
    uint32_t address = 0;
    for (uint8_t i = 0; i < m->n; i++)
        address |= (uint32_t)(pattern[places[i] >> 3] >> (places[i] & 7) & 1) << i;
    return (((uint32_t)tuple << m->n) | address) + 1;
}

static uint32_t home_of(const struct nt_memory *m, uint32_t key) /* splitmix64 */
{
    uint64_t x = key + UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)(x ^ (x >> 31)) & (m->room - 1);
}

static uint32_t place_of(const struct nt_memory *m, uint32_t key)
{
    uint32_t at = home_of(m, key);
    while (m->rows[at].key != 0 && m->rows[at].key != key)
        at = (at + 1) & (m->room - 1);
    return at;
}

static void take_out(struct nt_memory *m, uint32_t hole)
{
    const uint32_t mask = m->room - 1;
    const struct nt_row none = {0, 0, 0};
    for (uint32_t at = (hole + 1) & mask; m->rows[at].key != 0; at = (at + 1) & mask) {
        uint32_t home = home_of(m, m->rows[at].key);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            m->rows[hole] = m->rows[at];
            hole = at;
        }
    }
    m->rows[hole] = none;
    m->used--;
}

/* 0; or -1 if there may not be room for it, and nothing was learned. */
int nt_learn(struct nt_memory *m, const uint8_t *pattern, int16_t residual)
{
    if (4 * (uint64_t)(m->used + m->tuples) > 3 * (uint64_t)m->room)
        return -1;
    for (uint16_t tuple = 0; tuple < m->tuples; tuple++) {
        uint32_t key = key_of(m, pattern, tuple);
        struct nt_row *row = m->rows + place_of(m, key);
        m->used += row->key == 0;
        row->key = key;
        row->sum += residual;
        row->count++;
    }
    return 0;
}

/* 0; or -1 if it was not learned, as far as counters can tell, and nothing was forgotten. */
int nt_forget(struct nt_memory *m, const uint8_t *pattern, int16_t residual)
{
    for (uint16_t tuple = 0; tuple < m->tuples; tuple++) {
        const struct nt_row *row = m->rows + place_of(m, key_of(m, pattern, tuple));
        if (row->count == 0 || (row->count == 1 && row->sum != residual))
            return -1;
    }
    for (uint16_t tuple = 0; tuple < m->tuples; tuple++) {
        uint32_t at = place_of(m, key_of(m, pattern, tuple));
        m->rows[at].sum -= residual;
        if (--m->rows[at].count == 0)
            take_out(m, at);
    }
    return 0;
}

/* total / count is the prediction, in units. */
void nt_sums(const struct nt_memory *m, const uint8_t *pattern, int64_t *total, int64_t *count)
{
    *total = 0;
    *count = m->prior;
    for (uint16_t tuple = 0; tuple < m->tuples; tuple++) {
        const struct nt_row *row = m->rows + place_of(m, key_of(m, pattern, tuple));
        *total += row->sum;
        *count += row->count;
    }
}

/* The same from `ratings` stored patterns of `bytes` bytes each, one after another. */
void nt_match(const struct nt_memory *m, const uint8_t *pattern, const uint8_t *stored,
              const int16_t *residuals, uint32_t ratings, uint16_t bytes,
              int64_t *total, int64_t *count)
{
    *total = 0;
    *count = m->prior;
    for (uint16_t tuple = 0; tuple < m->tuples; tuple++) {
        uint32_t key = key_of(m, pattern, tuple);
        for (uint32_t rating = 0; rating < ratings; rating++)
            if (key_of(m, stored + rating * bytes, tuple) == key) {
                *total += residuals[rating];
                ++*count;
            }
    }
}

/* The prediction in 1/256 of a unit, rounded down: the one division. */
int32_t nt_predict(const struct nt_memory *m, const uint8_t *pattern)
{
    int64_t total, count;
    nt_sums(m, pattern, &total, &count);
    return (int32_t)((total * 256 - (total < 0 ? count - 1 : 0)) / count);
}
