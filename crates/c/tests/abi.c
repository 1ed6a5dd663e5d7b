// Tests of the C library: each option against the formula in C, each call, and that each kind of bad argument is refused
// by its status with nothing written. Built by ../test with -ffp-contract=off, under the sanitizers and without.

#include "common.h"

enum { MOST = 300 };

static void compare(const adagrad_options *o) {
    for (size_t n = 0; n < MOST; n += 1 + n / 8) {
        arrays ours = made(n), theirs = copied(ours), zeroed = copied(ours);
        adagrad_report report = {9, 9, 9};
        CHECK(adagrad_step(o, ours.w, ours.g, ours.a, n, &report) == ADAGRAD_STATUS_OK);
        CHECK(report.skipped == 0 && report.out_of_range == 0 && report.position == 0);
        for (size_t i = 0; i < n; i++) plain(o, &theirs.w[i], theirs.g[i], &theirs.a[i]);
        CHECK(all_same(ours, theirs));
        CHECK(adagrad_step_and_zero(o, zeroed.w, zeroed.g, zeroed.a, n, NULL) == ADAGRAD_STATUS_OK);
        CHECK(same(ours.w, zeroed.w, n) && same(ours.a, zeroed.a, n));
        for (size_t i = 0; i < n; i++) CHECK(zeroed.g[i] == 0);
        freed(ours);
        freed(theirs);
        freed(zeroed);
    }
}

static void dense(void) {
    adagrad_options o = adagrad_new(0.1f);
    compare(&o);
    o.epsilon = 0;
    compare(&o);
    o = adagrad_keras(0.1f);
    compare(&o);
    o.decay = ADAGRAD_DECAY_DECOUPLED;
    o.weight_decay = 0.01f;
    compare(&o);
    o = adagrad_new(0.1f);
    o.weight_decay = 0.01f;
    compare(&o);
    o.gradient_scale = 0.3f;
    o.maximize = 1;
    compare(&o);
    o.clip_value = 0.2f;
    compare(&o);
    o.accumulation = ADAGRAD_ACCUMULATION_LEAKY;
    o.rho = 0.9f;
    compare(&o);
    o.accumulation = ADAGRAD_ACCUMULATION_EMA;
    compare(&o);
    o.backend = ADAGRAD_BACKEND_SCALAR;
    compare(&o);
    o.backend = adagrad_detected_backend();
    compare(&o);
}

static void options_that_differ(void) {
    // 1/3 squared, plus 1: fused, the sum is rounded once.
    float w = 1, g = 1.0f / 3.0f, a = 1;
    adagrad_options o = adagrad_pytorch(0.1f);
    CHECK(o.arithmetic == ADAGRAD_ARITHMETIC_FUSED && o.epsilon == 1e-10f && o.initial_accumulator == 0);
    w = 1, g = 0.7f, a = 0.3f;
    CHECK(adagrad_step(&o, &w, &g, &a, 1, NULL) == 0 && a == fmaf(0.7f, 0.7f, 0.3f));
    o.arithmetic = ADAGRAD_ARITHMETIC_FAST;
    CHECK(adagrad_step(&o, &w, &g, &a, 1, NULL) == 0);

    o = adagrad_new(0.5f);
    o.non_finite = ADAGRAD_NON_FINITE_SKIP;
    float ws[2] = {1, 1}, as[2] = {0, 0};
    const float gs[2] = {NAN, 3};
    adagrad_report report = {0, 0, 0};
    CHECK(adagrad_step(&o, ws, gs, as, 2, &report) == 0 && report.skipped == 1);
    CHECK(ws[0] == 1 && ws[1] == 0.5f && as[0] == 0 && as[1] == 9);

    // d is made of G as it was: 0.5*1/sqrt(4), and then 4 + 1*1.
    o = adagrad_new(0.5f);
    o.epsilon = 0;
    o.order = ADAGRAD_ORDER_STEP_FIRST;
    w = 0, g = 1, a = 4;
    CHECK(adagrad_step(&o, &w, &g, &a, 1, NULL) == 0 && w == -0.25f && a == 5);
    o = adagrad_glove(0.05f);
    CHECK(o.gradient_scale == 0.05f && o.learning_rate == 1 && o.epsilon == 0 && o.initial_accumulator == 1);
    CHECK(o.order == ADAGRAD_ORDER_STEP_FIRST && adagrad_new(1).order == ADAGRAD_ORDER_ACCUMULATE_FIRST);

    o = adagrad_tensorflow(0.1f);
    CHECK(o.epsilon == 1e-7f && o.epsilon_place == ADAGRAD_EPSILON_PLACE_OUTSIDE_SQRT && o.initial_accumulator == 0.1f);
    o = adagrad_optax(0.1f);
    CHECK(o.epsilon == 1e-7f && o.epsilon_place == ADAGRAD_EPSILON_PLACE_INSIDE_SQRT && o.initial_accumulator == 0.1f);
    o = adagrad_fbgemm(0.1f);
    CHECK(o.epsilon == 1e-8f && o.epsilon_place == ADAGRAD_EPSILON_PLACE_OUTSIDE_SQRT && o.initial_accumulator == 0);
    CHECK(o.arithmetic == ADAGRAD_ARITHMETIC_SEPARATE && o.gradient_scale == 1 && isinf(o.clip_value));
}

static void rows(void) {
    enum { ROWS = 7, DIM = 5, COUNT = 4 };
    const uint32_t narrow[COUNT] = {6, 0, 3, 0};
    const uint64_t wide[COUNT] = {6, 0, 3, 0};
    const adagrad_options o = adagrad_new(0.1f);
    arrays start = made((size_t)ROWS * DIM), a = copied(start), b = copied(start), c = copied(start);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.a, ROWS, DIM, narrow, a.g, COUNT, NULL) == 0);
    CHECK(adagrad_step_rows_u64(&o, b.w, b.a, ROWS, DIM, wide, b.g, COUNT, NULL) == 0);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < DIM; j++) plain(&o, &c.w[narrow[i] * DIM + (uint32_t)j], c.g[i * DIM + j], &c.a[narrow[i] * DIM + (uint32_t)j]);
    CHECK(all_same(a, c) && all_same(b, c));

    float params[8] = {0}, sums[4] = {0}, again[8] = {0}, sums_again[4] = {0};
    const float grads[2] = {1, 7};
    const uint32_t row = 3;
    const uint64_t long_row = 3;
    CHECK(adagrad_step_row_wise_u32(&o, params, sums, 4, 2, &row, grads, 1, NULL) == 0);
    CHECK(adagrad_step_row_wise_u64(&o, again, sums_again, 4, 2, &long_row, grads, 1, NULL) == 0);
    CHECK(sums[0] == 0 && sums[3] == 25 && same(sums, sums_again, 4) && same(params, again, 8));
    CHECK(params[0] == 0 && params[7] == -(0.1f / (5.0f + 1e-8f)) * 7);

    // The last row is outside: none is stepped.
    adagrad_report report = {9, 9, 9};
    const uint32_t outside[COUNT] = {6, 0, 7, 1};
    arrays d = copied(a);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.a, ROWS, DIM, outside, a.g, COUNT, &report) == ADAGRAD_STATUS_ROW);
    CHECK(report.position == 2 && report.skipped == 0 && all_same(a, d));
    CHECK(adagrad_step_row_wise_u32(&o, a.w, a.a, ROWS, DIM, outside, a.g, COUNT, &report) == ADAGRAD_STATUS_ROW);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.a, ROWS, 0, narrow, a.g, 0, NULL) == ADAGRAD_STATUS_DIM);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.a, SIZE_MAX / 2, 4, narrow, a.g, COUNT, NULL) == ADAGRAD_STATUS_LENGTH);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.a, ROWS, DIM, narrow, a.g, SIZE_MAX / 2, NULL) == ADAGRAD_STATUS_LENGTH);
    CHECK(adagrad_step_rows_u32(&o, NULL, NULL, 0, DIM, NULL, NULL, 0, NULL) == 0);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.w, ROWS, DIM, narrow, a.g, COUNT, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.a, ROWS, DIM, narrow, a.a, COUNT, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.a, ROWS, DIM, (const uint32_t *)(const void *)a.w, a.g, COUNT, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_step_rows_u32(&o, a.w, a.a, ROWS, DIM, NULL, a.g, COUNT, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_step_rows_u64(&o, b.w, b.a, ROWS, DIM, (const uint64_t *)((const char *)wide + 4), b.g, 1, NULL) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(all_same(a, d) && all_same(b, d));
    freed(start);
    freed(a);
    freed(b);
    freed(c);
    freed(d);
}

static void coalescing(void) {
    uint32_t r[3] = {7, 2, 7};
    uint64_t wide[3] = {7, 2, 7};
    float g[6] = {1, 10, 2, 20, 4, 40}, h[6] = {1, 10, 2, 20, 4, 40};
    size_t scratch[6], n = 0;
    CHECK(adagrad_coalesce_u32(r, g, 3, 2, scratch, 6, &n) == 0 && n == 2);
    CHECK(r[0] == 7 && r[1] == 2 && g[0] == 5 && g[1] == 50 && g[2] == 2 && g[3] == 20);
    CHECK(adagrad_coalesce_u64(wide, h, 3, 2, scratch, 6, &n) == 0 && n == 2 && wide[1] == 2 && same(g, h, 4));
    CHECK(adagrad_coalesce_u32(r, g, 3, 2, scratch, 2, &n) == ADAGRAD_STATUS_LENGTH);
    CHECK(adagrad_coalesce_u32(r, g, 3, 0, scratch, 6, &n) == ADAGRAD_STATUS_DIM);
    CHECK(adagrad_coalesce_u32(r, g, 3, 2, scratch, 6, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_coalesce_u32(NULL, NULL, 0, 2, NULL, 0, &n) == 0 && n == 0);
    CHECK(adagrad_coalesce_u32(r, (float *)(void *)r, 1, 1, scratch, 6, &n) == ADAGRAD_STATUS_OVERLAP);
}

static void schedules(void) {
    adagrad_schedule s = adagrad_schedule_constant(1.0);
    s.cool_down = ADAGRAD_COOL_DOWN_LINEAR;
    s.cool_down_start = 100;
    s.cool_down_steps = 50;
    s.cool_down_floor = 0;
    CHECK(adagrad_schedule_at(&s, 100) == 1 && adagrad_schedule_at(&s, 125) == 0.5f && adagrad_schedule_at(&s, 200) == 0);
    s.cool_down = ADAGRAD_COOL_DOWN_COSINE;
    CHECK(adagrad_schedule_at(&s, 125) == 0.5f);
    s.cool_down = 7;
    CHECK(isnan(adagrad_schedule_at(&s, 1)));
    s = adagrad_schedule_inverse_time(0.1, 0.5);
    CHECK(adagrad_schedule_at(&s, 3) == 0.05f);
    s = adagrad_schedule_inverse_sqrt(0.1);
    CHECK(adagrad_schedule_at(&s, 100) == 0.01f);
    s.warm_up = 4;
    CHECK(adagrad_schedule_at(&s, 1) == 0.025f);
    s.reserved[3] = 1;
    CHECK(isnan(adagrad_schedule_at(&s, 1)) && isnan(adagrad_schedule_at(NULL, 1)));
}

static void values(void) {
    const float finite[3] = {3, 4, 0}, infinite[2] = {1, INFINITY}, bad[3] = {0, 1, -1};
    double sum = 0;
    bool answer = false;
    CHECK(adagrad_sum_of_squares(finite, 3, &sum) == 0 && sum == 25);
    CHECK(adagrad_clip_norm_scale(sum, 1) == 0.2f && isnan(adagrad_clip_norm_scale(sum, -1)));
    CHECK(adagrad_sum_of_squares(NULL, 3, &sum) == ADAGRAD_STATUS_NULL && sum == 25);
    CHECK(adagrad_sum_of_squares(finite, 3, NULL) == ADAGRAD_STATUS_NULL);
    CHECK(adagrad_sum_of_squares(NULL, 0, &sum) == 0 && sum == 0);
    CHECK(adagrad_all_finite(finite, 3, &answer) == 0 && answer);
    CHECK(adagrad_all_finite(infinite, 2, &answer) == 0 && !answer);
    CHECK(adagrad_all_finite(infinite, SIZE_MAX, &answer) == ADAGRAD_STATUS_LENGTH);
    CHECK(adagrad_all_finite(finite, 3, NULL) == ADAGRAD_STATUS_NULL);
    adagrad_report report = {0, 0, 0};
    CHECK(adagrad_check_accumulator(finite, 3, &report) == 0);
    CHECK(adagrad_check_accumulator(bad, 3, &report) == ADAGRAD_STATUS_ACCUMULATOR && report.position == 2);

    const adagrad_options o = adagrad_new(0.5f);
    const float a[3] = {1, 4, 1e8f};
    float rates[3];
    adagrad_summary summary;
    CHECK(adagrad_effective_rates(&o, a, rates, 3) == 0 && rates[0] == 0.5f && rates[1] == 0.25f);
    CHECK(adagrad_effective_rates(&o, rates, rates, 3) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_summarize(&o, a, 3, 1e-3f, 1.0f, &summary) == 0);
    CHECK(summary.count == 3 && summary.max == 0.5f && summary.min == 0.00005f && summary.below == 1);
    CHECK(summary.stalled == 1 && summary.non_finite == 0 && summary.histogram[4] == 1 && summary.histogram[8] == 2);
    CHECK(adagrad_summarize(&o, a, 3, 1e-3f, 1.0f, NULL) == ADAGRAD_STATUS_NULL);
}

static adagrad_status step(const adagrad_options *o, float *w, const float *g, float *a, size_t n) {
    return adagrad_step(o, w, g, a, n, NULL);
}

static void bad_arguments(void) {
    const size_t n = 10;
    arrays x = made(n), before = copied(x);
    const adagrad_options o = adagrad_new(0.1f);
    float *odd = (float *)(void *)((char *)x.w + 1);
    CHECK(step(NULL, x.w, x.g, x.a, n) == ADAGRAD_STATUS_NULL);
    CHECK(step(&o, NULL, x.g, x.a, n) == ADAGRAD_STATUS_NULL);
    CHECK(step(&o, x.w, NULL, x.a, n) == ADAGRAD_STATUS_NULL);
    CHECK(step(&o, x.w, x.g, NULL, n) == ADAGRAD_STATUS_NULL);
    CHECK(step(&o, NULL, NULL, NULL, 0) == ADAGRAD_STATUS_OK);
    CHECK(step(&o, odd, x.g, x.a, 2) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(step(&o, x.w, odd, x.a, 2) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(step(&o, x.w, x.g, odd, 2) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(step((const adagrad_options *)(const void *)odd, x.w, x.g, x.a, 2) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(adagrad_step(&o, x.w, x.g, x.a, n, (adagrad_report *)(void *)odd) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(step(&o, x.w, x.w, x.a, n) == ADAGRAD_STATUS_OVERLAP);
    CHECK(step(&o, x.w, x.g, x.w + 9, n) == ADAGRAD_STATUS_OVERLAP);
    CHECK(step(&o, x.w, x.a + 1, x.a, 2) == ADAGRAD_STATUS_OVERLAP);
    CHECK(adagrad_step_and_zero(&o, x.w, x.w + 1, x.a, 2, NULL) == ADAGRAD_STATUS_OVERLAP);
    CHECK(step(&o, x.w, x.g, x.a, SIZE_MAX) == ADAGRAD_STATUS_LENGTH);
    CHECK(step(&o, x.w, x.g, x.a, PTRDIFF_MAX / sizeof(float) + 1) == ADAGRAD_STATUS_LENGTH);
    CHECK(step(&o, (float *)(void *)(UINTPTR_MAX - 3), x.g, x.a, n) == ADAGRAD_STATUS_LENGTH);
    CHECK(all_same(x, before));
    // Side by side is not overlapping.
    CHECK(step(&o, x.w, x.w + 5, x.a, 5) == ADAGRAD_STATUS_OK);
    freed(x);
    freed(before);
}

// Each field, and a value that it must not have.
static void bad_options(void) {
    float w = 1, g = 1, a = 1;
#define REFUSED(field, name, value, also)                                                                         \
    do {                                                                                                          \
        adagrad_options o = adagrad_new(0.1f);                                                                    \
        also;                                                                                                     \
        CHECK(adagrad_bad_option(&o) == NULL);                                                                    \
        o.field = value;                                                                                          \
        CHECK(step(&o, &w, &g, &a, 1) == ADAGRAD_STATUS_OPTION && w == 1 && g == 1 && a == 1);                     \
        CHECK(adagrad_bad_option(&o) != NULL && strcmp(adagrad_bad_option(&o), name) == 0);                       \
    } while (0)
    REFUSED(learning_rate, "learning_rate", NAN, (void)0);
    REFUSED(epsilon, "epsilon", -1, (void)0);
    REFUSED(weight_decay, "weight_decay", INFINITY, (void)0);
    REFUSED(gradient_scale, "gradient_scale", NAN, (void)0);
    REFUSED(clip_value, "clip_value", 0, (void)0);
    REFUSED(clip_value, "clip_value", NAN, (void)0);
    REFUSED(rho, "rho", 1, o.accumulation = ADAGRAD_ACCUMULATION_EMA);
    REFUSED(initial_accumulator, "initial_accumulator", -1, (void)0);
    REFUSED(epsilon_place, "epsilon_place", 2, (void)0);
    REFUSED(decay, "decay", 2, (void)0);
    REFUSED(accumulation, "accumulation", 3, (void)0);
    REFUSED(arithmetic, "arithmetic", 3, (void)0);
    REFUSED(non_finite, "non_finite", 255, (void)0);
    REFUSED(backend, "backend", 5, (void)0);
    REFUSED(maximize, "maximize", 2, (void)0);
    REFUSED(order, "order", 2, (void)0);
    CHECK(adagrad_bad_option(NULL) == NULL);
    for (int status = 0; status >= ADAGRAD_STATUS_STEP; status--) CHECK(strlen(adagrad_status_message(status)) > 3);
    CHECK(strcmp(adagrad_status_message(0), "done") == 0);
    CHECK(strcmp(adagrad_status_message(ADAGRAD_STATUS_OTHER), "another error") == 0);
    CHECK(strcmp(adagrad_status_message(ADAGRAD_STATUS_STEP), "a row was last seen after this step") == 0);
    CHECK(strcmp(adagrad_status_message(ADAGRAD_STATUS_STEP - 1), "no status of adagrad") == 0);
    CHECK(strcmp(adagrad_status_message(1), "no status of adagrad") == 0);
    CHECK(strcmp(adagrad_status_message(INT32_MIN), "no status of adagrad") == 0);
}

int main(void) {
    dense();
    options_that_differ();
    rows();
    coalescing();
    schedules();
    values();
    bad_arguments();
    bad_options();
    printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
