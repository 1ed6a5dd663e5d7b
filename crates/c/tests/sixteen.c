// Tests of the C library: steps of bfloat16 and half precision. To the nearest they have the bits of the steps of floats,
// rounded; by chance they have bits that do not depend on how arrays are divided. Built by ../test like abi.c.

#include "common.h"

// The conversion of floats to what is float, too.
static adagrad_status kept(const float *values, float *to, size_t n) {
    if (n) memcpy(to, values, n * sizeof(float));
    return ADAGRAD_STATUS_OK;
}

#define T bf16
#define KIND
#define GRADS_F32 0
#define ACCUMULATOR_F32 0
#include "sixteen.h"
#define KIND _grads_f32
#define GRADS_F32 1
#define ACCUMULATOR_F32 0
#include "sixteen.h"
#define KIND _accumulator_f32
#define GRADS_F32 0
#define ACCUMULATOR_F32 1
#include "sixteen.h"
#undef T
#define T f16
#define KIND
#define GRADS_F32 0
#define ACCUMULATOR_F32 0
#include "sixteen.h"
#define KIND _grads_f32
#define GRADS_F32 1
#define ACCUMULATOR_F32 0
#include "sixteen.h"
#define KIND _accumulator_f32
#define GRADS_F32 0
#define ACCUMULATOR_F32 1
#include "sixteen.h"
#undef T

// What 16 bits with so many of them for the fraction stand for.
static float value(uint16_t bits, int fraction) {
    const int exponent = (bits & 0x7FFF) >> fraction, bias = fraction == 7 ? 127 : 15, most = fraction == 7 ? 255 : 31;
    const float part = (float)(bits & ((1 << fraction) - 1));
    const float magnitude = exponent == most ? part != 0 ? NAN : INFINITY
                            : exponent == 0  ? ldexpf(part, 1 - bias - fraction)
                                             : ldexpf(part + (float)(1 << fraction), exponent - bias - fraction);
    return bits & 0x8000 ? -magnitude : magnitude;
}

typedef adagrad_status (*narrows)(const float *values, uint16_t *converted, size_t n);
typedef adagrad_status (*widens)(const uint16_t *values, float *converted, size_t n);

// All values of 16 bits, and what lies between two of them.
static void conversions(narrows narrow, widens wide, int fraction) {
    static uint16_t bits[1 << 16], again[1 << 16];
    static float floats[1 << 16];
    for (size_t i = 0; i < 1 << 16; i++) bits[i] = (uint16_t)i;
    CHECK(wide(bits, floats, 1 << 16) == ADAGRAD_STATUS_OK && narrow(floats, again, 1 << 16) == ADAGRAD_STATUS_OK);
    int wrong = 0;
    for (size_t i = 0; i < 1 << 16; i++) {
        const float expected = value(bits[i], fraction), back = value(again[i], fraction);
        wrong += isnan(expected) ? !isnan(floats[i]) || !isnan(back) : !same(&expected, &floats[i], 1) || again[i] != bits[i];
    }
    CHECK(wrong == 0);
    const uint16_t infinity = fraction == 7 ? 0x7F80 : 0x7C00;
    for (uint16_t i = 0; i < infinity; i++) {
        // What lies above the greatest value is rounded as if there were another one.
        const uint16_t next = (uint16_t)(i + 1);
        const double low = value(i, fraction), high = next == infinity ? 2 * low - (double)value((uint16_t)(i - 1), fraction) : value(next, fraction);
        const float middle = (float)((low + high) / 2), around[3] = {nextafterf(middle, 0), middle, nextafterf(middle, INFINITY)};
        uint16_t rounded[3];
        CHECK(narrow(around, rounded, 3) == ADAGRAD_STATUS_OK);
        wrong += rounded[0] != i || rounded[1] != (i & 1 ? next : i) || rounded[2] != next;
    }
    CHECK(wrong == 0);

    float two[2] = {1, -2};
    uint16_t to[2] = {9, 9};
    CHECK(narrow(NULL, to, 1) == ADAGRAD_STATUS_NULL && narrow(two, NULL, 1) == ADAGRAD_STATUS_NULL);
    CHECK(wide(NULL, two, 1) == ADAGRAD_STATUS_NULL && wide(to, NULL, 1) == ADAGRAD_STATUS_NULL);
    CHECK(narrow(two, (uint16_t *)(void *)two, 2) == ADAGRAD_STATUS_OVERLAP && wide((uint16_t *)(void *)two, two, 2) == ADAGRAD_STATUS_OVERLAP);
    CHECK(narrow(two, (uint16_t *)(void *)((char *)to + 1), 1) == ADAGRAD_STATUS_MISALIGNED);
    CHECK(narrow(two, to, SIZE_MAX / 2) == ADAGRAD_STATUS_LENGTH && wide(to, two, SIZE_MAX) == ADAGRAD_STATUS_LENGTH);
    CHECK(narrow(NULL, NULL, 0) == ADAGRAD_STATUS_OK && wide(NULL, NULL, 0) == ADAGRAD_STATUS_OK);
    CHECK(two[0] == 1 && two[1] == -2 && to[0] == 9);
}

static void known_values(void) {
    const adagrad_rounding nearest = adagrad_round_nearest();
    adagrad_options o = adagrad_new(0.5f);
    // 1 and 2, by gradients 1 and -1, become 0.5 and 2.5.
    adagrad_bf16 w[2] = {0x3F80, 0x4000}, g[2] = {0x3F80, 0xBF80}, a[2] = {0, 0};
    adagrad_f16 v[2] = {0x3C00, 0x4000}, h[2] = {0x3C00, 0xBC00}, b[2] = {0, 0};
    CHECK(adagrad_step_bf16(&o, w, g, a, 2, &nearest, NULL) == ADAGRAD_STATUS_OK);
    CHECK(w[0] == 0x3F00 && w[1] == 0x4020 && a[0] == 0x3F80 && a[1] == 0x3F80);
    CHECK(adagrad_step_f16(&o, v, h, b, 2, &nearest, NULL) == ADAGRAD_STATUS_OK);
    CHECK(v[0] == 0x3800 && v[1] == 0x4100 && b[0] == 0x3C00 && b[1] == 0x3C00);
    // A square that is infinite in f16 is left out and counted.
    o.non_finite = ADAGRAD_NON_FINITE_SKIP;
    h[0] = 0x5C00; // 256
    adagrad_report report = {9, 9, 9};
    CHECK(adagrad_step_f16(&o, v, h, b, 2, &nearest, &report) == ADAGRAD_STATUS_OK && report.skipped == 1);
    CHECK(v[0] == 0x3800 && b[0] == 0x3C00 && b[1] == 0x4000);
}

// Accumulators of gradients 1: to the nearest they stop at 256, by chance their mean is the number of steps.
static void what_adds_up(void) {
    enum { N = 2000, STEPS = 1000 };
    static adagrad_bf16 w[N], g[N], a[N], stopped[N], moved[N];
    static float sums[N];
    const adagrad_options o = adagrad_new(0.1f);
    const adagrad_rounding nearest = adagrad_round_nearest();
    for (int i = 0; i < N; i++) g[i] = 0x3F80;
    for (uint64_t step = 0; step < STEPS; step++) {
        const adagrad_rounding rounding = adagrad_round_stochastic(7, step);
        CHECK(adagrad_step_bf16(&o, w, g, a, N, &rounding, NULL) == ADAGRAD_STATUS_OK);
        CHECK(adagrad_step_bf16(&o, moved, g, stopped, N, &nearest, NULL) == ADAGRAD_STATUS_OK);
    }
    double sum = 0;
    CHECK(adagrad_f32_from_bf16(a, sums, N) == ADAGRAD_STATUS_OK);
    for (int i = 0; i < N; i++) {
        sum += (double)sums[i];
        CHECK(stopped[i] == 0x4380); // 256
    }
    CHECK(fabs(sum / N - STEPS) < 10);
}

int main(void) {
    conversions(adagrad_bf16_from_f32, adagrad_f32_from_bf16, 7);
    conversions(adagrad_f16_from_f32, adagrad_f32_from_f16, 10);
    known_values();
    what_adds_up();
    all_bf16();
    all_bf16_grads_f32();
    all_bf16_accumulator_f32();
    all_f16();
    all_f16_grads_f32();
    all_f16_accumulator_f32();
    printf("%d checks, %d failed\n", checks, failures);
    return failures != 0;
}
