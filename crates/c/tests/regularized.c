// Tests of the C library: steps with L1 and L2 against their formulas in C, and what they refuse. Built by ../test like abi.c.

#include "common.h"

static float clamped(float x, float most) { return x > most ? most : x < -most ? -most : x; }

// The steps of one element, as the header has them, for numbers that do not overflow.
static void ftrl(const adagrad_regularized *o, float *w, float g, float *a, float *z) {
    const float sum = *a + g * g;
    const float s = (sqrtf(sum) - sqrtf(*a)) / o->learning_rate;
    *z = *z + (g - s * *w);
    const float d = sqrtf(sum) / o->learning_rate + 2 * o->l2;
    if (d != 0) *w = (clamped(*z, o->l1) - *z) / d;
    *a = sum;
}

static void proximal(const adagrad_regularized *o, float *w, float g, float *a) {
    *a = *a + g * g;
    if (*a == 0) return;
    const float r = o->learning_rate / sqrtf(*a), v = *w - r * g;
    *w = (v - clamped(v, r * o->l1)) / (1 + r * o->l2);
}

static void compare(const adagrad_regularized *o) {
    for (size_t n = 0; n < 100; n += 1 + n / 8) {
        arrays a = made(n), b = copied(a), c = copied(a), d = copied(a), linear = made(n), other = copied(linear);
        CHECK(adagrad_ftrl_step(o, a.w, a.g, a.a, linear.w, n) == ADAGRAD_STATUS_OK);
        for (size_t i = 0; i < n; i++) ftrl(o, &b.w[i], b.g[i], &b.a[i], &other.w[i]);
        CHECK(all_same(a, b) && same(linear.w, other.w, n));
        CHECK(adagrad_proximal_step(o, c.w, c.g, c.a, n) == ADAGRAD_STATUS_OK);
        for (size_t i = 0; i < n; i++) proximal(o, &d.w[i], d.g[i], &d.a[i]);
        CHECK(all_same(c, d));
        freed(a), freed(b), freed(c), freed(d), freed(linear), freed(other);
    }
}

// Rows of a table in every layout that has an accumulator per element, with padding in it or not. Row 3 is passed over, as are
// rows that the table does not have.
static void rows(const adagrad_regularized *o, int interleaved, size_t padding) {
    enum { ROWS = 6, DIM = 5, COUNT = 6, MOST = 8 };
    const uint32_t narrow[COUNT] = {5, 0, 3, 0, 6, UINT32_MAX};
    const uint64_t wide[COUNT] = {5, 0, 3, 0, 6, UINT64_MAX};
    const size_t width = DIM + padding, next = interleaved ? 2 * width : width;
    for (int is_ftrl = 0; is_ftrl < 2; is_ftrl++)
        for (int is_wide = 0; is_wide < 2; is_wide++) {
            arrays start = made((size_t)ROWS * MOST), z = copied(start);
            float memory[ROWS * 2 * MOST], sums[ROWS * MOST], expected[ROWS * 2 * MOST], expected_sums[ROWS * MOST], y[ROWS * MOST];
            for (size_t i = 0; i < ROWS * 2 * MOST; i++) memory[i] = expected[i] = start.w[i / 2];
            for (size_t i = 0; i < ROWS * MOST; i++) sums[i] = expected_sums[i] = start.a[i];
            memcpy(y, z.w, sizeof y);
            if (interleaved)
                for (size_t i = 0; i < ROWS * width; i++) memory[i / width * next + width + i % width] = expected[i / width * next + width + i % width] = start.a[i];
            adagrad_table table = interleaved ? adagrad_table_interleaved(memory, ROWS, width) : adagrad_table_new(memory, sums, ROWS, width);
            if (padding) table.columns = DIM, table.gradient_stride = DIM;
            table.padding_row = 3;
            adagrad_report report = {9, 9, 9};
            for (int skip = 0; skip < 2; skip++) { // refused, then passed over
                table.skip_out_of_range = (uint8_t)skip;
                const adagrad_status status =
                    is_ftrl ? is_wide ? adagrad_ftrl_step_rows_u64(o, &table, z.w, wide, start.g, COUNT, &report)
                                      : adagrad_ftrl_step_rows_u32(o, &table, z.w, narrow, start.g, COUNT, &report)
                    : is_wide ? adagrad_proximal_step_rows_u64(o, &table, wide, start.g, COUNT, &report)
                              : adagrad_proximal_step_rows_u32(o, &table, narrow, start.g, COUNT, &report);
                CHECK(status == (skip ? ADAGRAD_STATUS_OK : ADAGRAD_STATUS_ROW));
                CHECK(skip ? report.out_of_range == 2 && report.position == 0 : report.position == 4);
                for (size_t i = 0; skip && i < COUNT; i++)
                    for (size_t j = 0; narrow[i] != 3 && narrow[i] < ROWS && j < DIM; j++) {
                        float *w = &expected[narrow[i] * next + j], g = start.g[i * DIM + j];
                        float *a = interleaved ? w + width : &expected_sums[narrow[i] * width + j];
                        if (is_ftrl) ftrl(o, w, g, a, &y[narrow[i] * width + j]);
                        else proximal(o, w, g, a);
                    }
                CHECK(same(memory, expected, ROWS * 2 * MOST) && same(sums, expected_sums, ROWS * MOST) && same(z.w, y, ROWS * MOST));
            }
            freed(start), freed(z);
        }
}

static void refused_rows(const adagrad_regularized *o) {
    enum { ROWS = 6, DIM = 5, COUNT = 2 };
    const uint32_t r[COUNT] = {5, 0};
    arrays a = made((size_t)ROWS * DIM), b = copied(a), z = copied(a), y = copied(a);
    const adagrad_table table = adagrad_table_new(a.w, a.a, ROWS, DIM);
    adagrad_table bad = adagrad_table_new(a.w, a.a, ROWS, 0);
    CHECK(adagrad_ftrl_step_rows_u32(o, &bad, z.w, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_DIM);
    bad = adagrad_table_new(a.w, a.a, SIZE_MAX, DIM);
    CHECK(adagrad_ftrl_step_rows_u32(o, &bad, z.w, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_LENGTH);
    bad = adagrad_table_row_wise(a.w, a.a, ROWS, DIM);
    CHECK(adagrad_ftrl_step_rows_u32(o, &bad, z.w, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_LENGTH);
    CHECK(adagrad_proximal_step_rows_u32(o, &bad, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_LENGTH);
    bad = table, bad.reserved[0] = 1;
    CHECK(adagrad_proximal_step_rows_u32(o, &bad, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_UNKNOWN);
    bad = adagrad_table_new(a.w, a.w, ROWS, DIM);
    CHECK(adagrad_proximal_step_rows_u32(o, &bad, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_ftrl_step_rows_u32(o, &table, a.w, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_ftrl_step_rows_u32(o, &table, a.g, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_ftrl_step_rows_u32(o, &table, NULL, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_ftrl_step_rows_u32(o, NULL, z.w, r, a.g, COUNT, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(all_same(a, b) && same(z.w, y.w, ROWS * DIM));
    freed(a), freed(b), freed(z), freed(y);
}

static void refused(void) {
    float w = 1, a = 1, z = 1;
    const float g = 1;
#define REFUSED(field, value, status)                                                               \
    do {                                                                                            \
        adagrad_regularized o = adagrad_regularized_new(0.1f, 0, 0);                                \
        o.field = value;                                                                            \
        CHECK(adagrad_ftrl_step(&o, &w, &g, &a, &z, 1) == ADAGRAD_STATUS_OPTION);                   \
        CHECK(adagrad_proximal_step(&o, &w, &g, &a, 1) == ADAGRAD_STATUS_##status);                 \
        CHECK(w == 1 && a == 1 && z == 1);                                                          \
    } while (0)
    REFUSED(learning_rate, -1, OPTION);
    REFUSED(learning_rate, NAN, OPTION);
    REFUSED(l1, -1, OPTION);
    REFUSED(l2, INFINITY, OPTION);
    REFUSED(backend, 5, OPTION);
    REFUSED(reserved[2], 1, OPTION);
#undef REFUSED
    adagrad_regularized o = adagrad_regularized_new(0, 0, 0);
    CHECK(adagrad_ftrl_step(&o, &w, &g, &a, &z, 1) == ADAGRAD_STATUS_OPTION); // it divides by the rate
    CHECK(adagrad_ftrl_step(NULL, &w, &g, &a, &z, 1) == ADAGRAD_STATUS_NULL);
    o.learning_rate = 0.1f;
    CHECK(adagrad_ftrl_step(&o, &w, &g, &a, NULL, 1) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_ftrl_step(&o, &w, &g, &a, &w, 1) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_proximal_step(&o, &w, &w, &a, 1) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_proximal_step(&o, &w, &g, &a, SIZE_MAX) == ADAGRAD_STATUS_LENGTH);
    CHECK(w == 1 && a == 1 && z == 1);
}

int main(void) {
    adagrad_regularized o = adagrad_regularized_new(0.1f, 0, 0);
    compare(&o);
    o.l1 = 0.3f;
    compare(&o);
    o.l2 = 0.2f;
    compare(&o);
    o.backend = ADAGRAD_BACKEND_SCALAR;
    compare(&o);
    for (int interleaved = 0; interleaved < 2; interleaved++) rows(&o, interleaved, 0), rows(&o, interleaved, 3);
    refused_rows(&o);
    refused();
    printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
