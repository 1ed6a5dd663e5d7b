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

static void rows(const adagrad_regularized *o) {
    enum { ROWS = 6, DIM = 5, COUNT = 4 };
    const uint32_t narrow[COUNT] = {5, 0, 3, 0};
    const uint64_t wide[COUNT] = {5, 0, 3, 0};
    arrays a = made((size_t)ROWS * DIM), b = copied(a), c = copied(a), z = copied(a), y = copied(a), x = copied(a);
    arrays d = copied(a), e = copied(a), f = copied(a);
    CHECK(adagrad_ftrl_step_rows_u32(o, a.w, a.a, z.w, ROWS, DIM, narrow, a.g, COUNT, NULL) == ADAGRAD_STATUS_OK);
    CHECK(adagrad_ftrl_step_rows_u64(o, b.w, b.a, y.w, ROWS, DIM, wide, b.g, COUNT, NULL) == ADAGRAD_STATUS_OK);
    CHECK(adagrad_proximal_step_rows_u32(o, d.w, d.a, ROWS, DIM, narrow, d.g, COUNT, NULL) == ADAGRAD_STATUS_OK);
    CHECK(adagrad_proximal_step_rows_u64(o, e.w, e.a, ROWS, DIM, wide, e.g, COUNT, NULL) == ADAGRAD_STATUS_OK);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < DIM; j++) {
            const size_t at = narrow[i] * DIM + j;
            ftrl(o, &c.w[at], c.g[i * DIM + j], &c.a[at], &x.w[at]);
            proximal(o, &f.w[at], f.g[i * DIM + j], &f.a[at]);
        }
    CHECK(all_same(a, c) && all_same(b, c) && same(z.w, x.w, ROWS * DIM) && same(y.w, x.w, ROWS * DIM));
    CHECK(all_same(d, f) && all_same(e, f));

    adagrad_report report = {9, 9, 9};
    const uint32_t outside[COUNT] = {5, 0, 6, 0};
    CHECK(adagrad_ftrl_step_rows_u32(o, a.w, a.a, z.w, ROWS, DIM, outside, a.g, COUNT, &report) == ADAGRAD_STATUS_ROW && report.position == 2);
    CHECK(adagrad_proximal_step_rows_u32(o, d.w, d.a, ROWS, DIM, outside, d.g, COUNT, &report) == ADAGRAD_STATUS_ROW && report.position == 2);
    CHECK(adagrad_ftrl_step_rows_u32(o, a.w, a.a, z.w, ROWS, 0, narrow, a.g, COUNT, NULL) == ADAGRAD_STATUS_DIM);
    CHECK(adagrad_ftrl_step_rows_u32(o, a.w, a.a, z.w, SIZE_MAX, DIM, narrow, a.g, COUNT, NULL) == ADAGRAD_STATUS_LENGTH);
    CHECK(adagrad_ftrl_step_rows_u32(o, a.w, a.a, a.w, ROWS, DIM, narrow, a.g, COUNT, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_ftrl_step_rows_u32(o, a.w, a.a, NULL, ROWS, DIM, narrow, a.g, COUNT, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_proximal_step_rows_u32(o, d.w, d.w, ROWS, DIM, narrow, d.g, COUNT, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(all_same(a, c) && all_same(d, f) && same(z.w, x.w, ROWS * DIM));
    freed(a), freed(b), freed(c), freed(d), freed(e), freed(f), freed(x), freed(y), freed(z);
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
    rows(&o);
    refused();
    printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
